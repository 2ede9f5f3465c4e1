"""The build chain: BPF objects and the bundled library, from pinned sources with a pinned compiler.

It runs in three places with nothing but the standard library and `ziglang`: from the Makefile
(`python -m bpf.build`), inside hatchling's isolated environment (`hook.py`), and in the tests.
"""
