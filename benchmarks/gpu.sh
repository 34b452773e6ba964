#!/usr/bin/env bash
# What there is to find out about the runtime on a GPU, in a minute or two; each part goes on when another fails.
#
#   benchmarks/gpu.sh FOLDER [MODEL.onnx ...]
#
# FOLDER gets what was found. Further models are measured beside s and s-live, in both precisions.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath "${1:?name a folder for the results}")
models=(s s-live s-fp16 s-live-fp16 "${@:2}")
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
part ptfan inpaint "${clip[@]}" -o "$folder/gpu.mp4" --json "$folder/inpaint-gpu-codecs.json" --hwaccel cuda \
    --codec h264_nvenc

# TensorRT, whichever is installed: build, the same answers, how long they take.
plans=()
for model in "${models[@]}"; do
    plan="$folder/$(basename "$model" .onnx).plan"
    part ptfan build "$model" -o "$plan" --max 1280x720 --quiet --overwrite && [ -f "$plan" ] && plans+=(--model "$plan")
    part ptfan verify "$plan" --against "$model" --against-backend onnxruntime --frames 24 --quiet --overwrite \
        --json "$folder/verify-$(basename "$plan" .plan)-tensorrt.json"
done
[ ${#plans[@]} = 0 ] || part ptfan bench "${plans[@]}" --size 432x240 --size 1280x720 --rounds 50 --runs 1 --quiet \
    -o "$folder/bench-tensorrt"
