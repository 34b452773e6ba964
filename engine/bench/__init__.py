"""Measurements of latency and throughput that can be trusted: interleaved, with their spread, beside a baseline."""
