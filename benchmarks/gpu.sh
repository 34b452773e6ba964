#!/usr/bin/env bash
# What there is to find out about the runtime on a GPU, what nothing else can tell first; each part goes on when another fails.
# Tests need `pip install '.[dev]'`; the kernel and the plugin's library are built where nvcc and cmake are.
#
#   benchmarks/gpu.sh FOLDER [MODEL.onnx ...]
#   LIMIT=540 benchmarks/gpu.sh FOLDER        # on a machine that is lent: over after so many seconds
#   tar -czf found.tgz -C FOLDER --exclude=./work .
#
# FOLDER gets what was found, FOLDER/work what is made on the way. Every part writes its own as soon as it is done; with a
# LIMIT none takes more than a quarter of it, and what comes too late is left out. Further models are measured beside s and
# s-live, in both precisions.
set -uo pipefail
folder=$(realpath "${1:?name a folder for the results}")
models=(s-live s s-live-fp16 s-fp16)
for model in "${@:2}"; do models+=("$(realpath "$model")"); done
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
ptfan=("$python" -m ptfan.engine.cli)
work=$folder/work
library=$work/plugins/libptfan_plugin.so

part() {
    local limit=() left=1
    if [ -n "${LIMIT:-}" ]; then
        left=$((LIMIT - SECONDS < LIMIT / 4 ? LIMIT - SECONDS : LIMIT / 4))
        limit=(timeout --kill-after=5 "$left")
    fi
    echo "== after $SECONDS s: $*"
    [ "$left" -gt 0 ] || { echo "== left out, for want of time"; return 124; }
    "${limit[@]}" "$@"
    local status=$?
    [ $status = 0 ] || echo "== exit status $status"
    return $status
}

# The kernel against its reference and against a device copy, and the plugin's library.
kernel() {
    command -v nvcc > /dev/null && command -v cmake > /dev/null || return
    part cmake -S plugins -B "$work/plugins" -DPTFAN_ARCHITECTURES="$(nvidia-smi --query-gpu=compute_cap \
        --format=csv,noheader | head -n 1 | tr -d .)"
    part cmake --build "$work/plugins" --parallel
    part ctest --test-dir "$work/plugins" --output-on-failure
    part "$work/plugins/flow_warp_bench"
    part "$work/plugins/flow_warp_bench" 32 180 320 8
    command -v compute-sanitizer > /dev/null && part compute-sanitizer "$work/plugins/tests/test_kernel"
}

# TensorRT for RTX looks for its own library by a name that its wheel does not have.
find_rtx() {
    local found
    found=$("$python" -c 'import glob, tensorrt_rtx_libs as libs; print(*glob.glob(libs.__path__[0] + "/libtensorrt_rtx.so.*"))' 2> /dev/null)
    [ -n "$found" ] || return
    mkdir -p "$work/lib"
    ln -sf "$found" "$work/lib/libtensorrt_rtx.so"
    export LD_LIBRARY_PATH="$work/lib:${LD_LIBRARY_PATH:-}"
}

# TensorRT, whichever is installed: the same answers as on the CPU, and how long they take.
tensorrt() {
    local kind=$1 plugin=$1 plans=() plan
    [ "$kind" != library ] || plugin=$library
    for model in "${models[@]}"; do
        plan="$work/$(basename "$model" .onnx)-$kind.plan"
        rm -f "$plan" "$plan.json"
        part "${ptfan[@]}" build "$model" -o "$plan" --plugin "$plugin" --max 1280x720 --quiet || continue
        PTFAN_PLUGIN=$plugin part "${ptfan[@]}" verify "$plan" --against "$model" --against-backend onnxruntime --frames 24 \
            --quiet --overwrite --json "$folder/verify-$(basename "$plan" .plan)-tensorrt.json"
        [ $? -gt 1 ] || plans+=(--model "$plan") # 1: it ran, and answers otherwise
    done
    [ ${#plans[@]} = 0 ] || PTFAN_PLUGIN=$plugin bench "tensorrt-$kind" "${plans[@]}" --streams 1
}

# ONNX Runtime, likewise; launch by launch, or recorded as CUDA graphs.
onnxruntime() {
    local measured=()
    export PTFAN_CUDA_GRAPHS=$2
    for model in "${models[@]}"; do
        measured+=(--model "$model")
        part "${ptfan[@]}" verify "$model" --backend onnxruntime-cuda --against "$model" --against-backend onnxruntime \
            --frames 24 --quiet --overwrite --json "$folder/verify-$(basename "$model" .onnx)-$1.json"
    done
    bench "$1" "${measured[@]}" --backend onnxruntime-cuda --streams 1 --streams 4
    unset PTFAN_CUDA_GRAPHS
}

# Networks, then whole videos: what the former have found is there if the latter come to nothing.
bench() {
    part "${ptfan[@]}" bench "${@:2}" --size 432x240 --size 1280x720 --rounds 50 --runs 0 --quiet -o "$folder/bench-$1"
    part "${ptfan[@]}" bench "${@:2}" --rounds 1 --runs 1 --quiet -o "$folder/videos-$1"
}

# Decoding, network and encoding on the GPU, from file to file, beside the same with the network alone there.
codecs() {
    local clip=(engine/demo/bikes.mp4 --mask engine/demo/bikes_mask.png --backend onnxruntime-cuda --quiet --overwrite)
    part "${ptfan[@]}" inpaint "${clip[@]}" -o "$work/cpu.mp4" --json "$folder/inpaint-cpu-codecs.json"
    part "${ptfan[@]}" inpaint "${clip[@]}" -o "$work/decoded.mp4" --json "$folder/inpaint-hwaccel.json" --hwaccel cuda
    # Not of data-centre GPUs: A100, H100 and H200 decode, and do not encode.
    part "${ptfan[@]}" inpaint "${clip[@]}" -o "$work/encoded.mp4" --json "$folder/inpaint-nvenc.json" --codec h264_nvenc
    part "${ptfan[@]}" inpaint "${clip[@]}" -o "$work/gpu.mp4" --json "$folder/inpaint-gpu-codecs.json" --hwaccel cuda \
        --codec h264_nvenc
}

everything() {
    part "${ptfan[@]}" info
    kernel
    find_rtx
    part "$python" -m pytest -q -m gpu tests/engine
    [ ! -f "$library" ] || tensorrt library
    tensorrt none
    onnxruntime onnxruntime-cuda 0
    onnxruntime onnxruntime-cuda-graphs 1
    codecs
    tensorrt python
    echo "== over after $SECONDS s"
}

mkdir -p "$work"
everything 2>&1 | tee "$folder/log.txt"
