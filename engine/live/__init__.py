"""Live sources and sinks: what never ends, comes late, or breaks off."""
