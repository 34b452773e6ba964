# ptfan on a server: docker build -t ptfan . && docker run --rm --init --gpus all -v "$PWD:/data" -w /data ptfan inpaint ...
# Without a GPU: docker build --build-arg EXTRA=cpu -t ptfan . and no --gpus.
# --init lets every signal end a run: the kernel keeps some from the first process of a container.
FROM python:3.12-slim
ARG EXTRA=cuda
COPY . /src
RUN pip install --no-cache-dir "/src[${EXTRA}]" && rm -rf /src
# With `video`, --hwaccel cuda and the NVENC encoders find their libraries as well.
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility,video
ENTRYPOINT ["ptfan"]
