"""Publishing to NATS and reading from it; needs the extra `pyloader-ebpf[nats]`, which is imported only when used."""
