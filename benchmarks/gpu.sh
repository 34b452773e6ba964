#!/usr/bin/env bash
# What there is to find out about the runtime on a GPU, in some minutes; each part goes on when another fails. Tests need
# `pip install '.[dev]'`; the kernel and the plugin's library are built where nvcc and cmake are.
#
#   benchmarks/gpu.sh FOLDER [MODEL.onnx ...]
#
# FOLDER gets what was found. Further models are measured beside s and s-live, in both precisions.
set -uo pipefail
folder=$(realpath "${1:?name a folder for the results}")
models=(s s-live s-fp16 s-live-fp16)
for model in "${@:2}"; do models+=("$(realpath "$model")"); done
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
ptfan() { "$python" -m ptfan.engine.cli "$@"; }
part() {
    echo "== $*"
    "$@" || echo "== exit status $?"
}

mkdir -p "$folder"
part ptfan info | tee "$folder/info.txt"
part "$python" -m pytest -q -m gpu tests/engine 2>&1 | tee "$folder/tests.txt"

# ONNX Runtime: the same answers as on the CPU, and how long they take; launch by launch, and recorded as CUDA graphs.
measured=()
for model in "${models[@]}"; do measured+=(--model "$model"); done
for graphs in 0 1; do
    export PTFAN_CUDA_GRAPHS=$graphs
    name=onnxruntime-cuda$([ $graphs = 0 ] || echo -graphs)
    for model in "${models[@]}"; do
        part ptfan verify "$model" --backend onnxruntime-cuda --against "$model" --against-backend onnxruntime --frames 24 \
            --quiet --overwrite --json "$folder/verify-$(basename "$model" .onnx)-$name.json"
    done
    part ptfan bench "${measured[@]}" --backend onnxruntime-cuda --size 432x240 --size 1280x720 --streams 1 --streams 4 \
        --rounds 50 --runs 1 --quiet -o "$folder/bench-$name"
done
unset PTFAN_CUDA_GRAPHS

# Decoding, network and encoding on the GPU, from file to file, beside the same with the network alone there.
clip=(engine/demo/bikes.mp4 --mask engine/demo/bikes_mask.png --backend onnxruntime-cuda --quiet --overwrite)
part ptfan inpaint "${clip[@]}" -o "$folder/cpu.mp4" --json "$folder/inpaint-cpu-codecs.json"
part ptfan inpaint "${clip[@]}" -o "$folder/decoded.mp4" --json "$folder/inpaint-hwaccel.json" --hwaccel cuda
part ptfan inpaint "${clip[@]}" -o "$folder/encoded.mp4" --json "$folder/inpaint-nvenc.json" --codec h264_nvenc
part ptfan inpaint "${clip[@]}" -o "$folder/gpu.mp4" --json "$folder/inpaint-gpu-codecs.json" --hwaccel cuda \
    --codec h264_nvenc # not of data-centre GPUs: A100, H100 and H200 decode, and do not encode

# The kernel against its reference and against a device copy, and the plugin's library.
plugins=(none python)
if command -v nvcc > /dev/null && command -v cmake > /dev/null; then
    part cmake -S plugins -B "$folder/plugins" -DPTFAN_ARCHITECTURES="$(nvidia-smi --query-gpu=compute_cap \
        --format=csv,noheader | head -n 1 | tr -d .)"
    part cmake --build "$folder/plugins"
    part ctest --test-dir "$folder/plugins" --output-on-failure 2>&1 | tee "$folder/plugins.txt"
    part "$folder/plugins/flow_warp_bench" 2>&1 | tee "$folder/flow-warp.txt"
    [ ! -f "$folder/plugins/libptfan_plugin.so" ] || plugins+=("$folder/plugins/libptfan_plugin.so")
fi

# TensorRT for RTX looks for its own library by a name that its wheel does not have.
library=$("$python" -c 'import glob, tensorrt_rtx_libs as libs; print(*glob.glob(libs.__path__[0] + "/libtensorrt_rtx.so.*"))' 2> /dev/null)
if [ -n "$library" ]; then
    mkdir -p "$folder/lib"
    ln -sf "$library" "$folder/lib/libtensorrt_rtx.so"
    export LD_LIBRARY_PATH="$folder/lib:${LD_LIBRARY_PATH:-}"
fi

# TensorRT, whichever is installed: with every plugin build, the same answers, how long they take.
plans=()
for plugin in "${plugins[@]}"; do
    for model in "${models[@]}"; do
        plan="$folder/$(basename "$model" .onnx)-$(basename "$plugin" .so).plan"
        rm -f "$plan" "$plan.json"
        part ptfan build "$model" -o "$plan" --plugin "$plugin" --max 1280x720 --quiet
        [ -f "$plan" ] || continue
        plans+=(--model "$plan")
        PTFAN_PLUGIN=$plugin part ptfan verify "$plan" --against "$model" --against-backend onnxruntime --frames 24 --quiet \
            --overwrite --json "$folder/verify-$(basename "$plan" .plan)-tensorrt.json"
    done
done
[ ${#plans[@]} = 0 ] || PTFAN_PLUGIN=$folder/plugins/libptfan_plugin.so part ptfan bench "${plans[@]}" --size 432x240 \
    --size 1280x720 --rounds 50 --runs 1 --quiet -o "$folder/bench-tensorrt"
