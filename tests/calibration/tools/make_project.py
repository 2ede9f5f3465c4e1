"""Write a small project of sources: `make_project.py KIND FILES SEED FOLDER`."""

import json
import random
import sys
from pathlib import Path


def c(folder: Path, files: int) -> None:
    """Write a C project with a configure script in the manner of autoconf."""
    names = _c_sources(folder, files)
    objects = " ".join(f"{name}.o" for name in names)
    (folder / "Makefile").write_text(
        "CC=cc\nCFLAGS=-O1\nall: program\n"
        f"program: main.o {objects}\n\t$(CC) -o $@ $^\n%.o: %.c all.h\n\t$(CC) $(CFLAGS) -c -o $@ $<\n"
        "check: program\n\t@./program | grep -q sum && echo passed\nclean:\n\trm -f *.o\n"
    )
    checks = "".join(
        f"printf 'checking for {header}... '\n"
        f"printf '#include <{header}>\\nint main(void){{return 0;}}\\n' > conftest.c\n"
        "if cc -o conftest conftest.c 2>/dev/null && ./conftest; then echo yes; else echo no; fi\n"
        "rm -f conftest conftest.c\n"
        for header in ("stdio.h", "sys/epoll.h", "zlib.h", "missing.h", "pthread.h")
    )
    (folder / "configure").write_text(
        "#!/bin/sh\n"
        + checks
        + "host=`uname -m`-`uname -s | tr A-Z a-z`\n"
        + 'sed -e "s/@HOST@/$host/" config.in > config.h\necho configured $host\n'
    )
    (folder / "config.in").write_text('#define HOST "@HOST@"\n')


def cmake(folder: Path, files: int) -> None:
    """Write a C project for CMake."""
    names = _c_sources(folder, files)
    sources = " ".join(f"{name}.c" for name in names)
    (folder / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.16)\nproject(program C)\nadd_executable(program main.c {sources})\n"
    )


def python(folder: Path, files: int) -> None:
    """Write a Python package and its tests, some of which start programs."""
    for number in range(files):
        (folder / f"part{number}.py").write_text(f"def value(n):\n    return n + {number}\n")
        (folder / f"test_part{number}.py").write_text(
            "import subprocess, tempfile, unittest\n"
            f"from part{number} import value\n"
            "class Test(unittest.TestCase):\n"
            f"    def test_value(self):\n        self.assertEqual(value(1), {number + 1})\n"
            "    def test_program(self):\n"
            "        with tempfile.NamedTemporaryFile() as file:\n"
            "            subprocess.run(['cp', __file__, file.name], check=True)\n"
            "        self.assertEqual(subprocess.check_output('echo a | tr a b', shell=True), b'b\\n')\n"
        )


def node(folder: Path, files: int) -> None:
    """Write a package for node with tests and a build step."""
    for number in range(files):
        (folder / f"part{number}.js").write_text(f"module.exports = (n) => n + {number};\n")
        (folder / f"part{number}.test.js").write_text(
            "const test = require('node:test'); const assert = require('node:assert');\n"
            f"test('value', () => assert.equal(require('./part{number}')(1), {number + 1}));\n"
        )
    (folder / "main.js").write_text(
        "let s = 0; for (let i = 0; i < 300000; i++) s += Math.sqrt(i);\n"
        "require('child_process').execSync('ls | wc -l'); console.log(s);\n"
    )
    scripts = {
        "test": "node --test",
        "build": "node -e \"require('fs').writeFileSync('built', '1')\" && ls | sort > list",
    }
    (folder / "package.json").write_text(json.dumps({"name": "p", "version": "1.0.0", "scripts": scripts}))


def java(folder: Path, files: int) -> None:
    """Write a few Java classes."""
    for number in range(files):
        (folder / f"Part{number}.java").write_text(
            f"class Part{number} {{ static int value(int n) {{ return n + {number}; }} }}\n"
        )
    total = " + ".join(f"Part{number}.value(i)" for number in range(files))
    (folder / "Main.java").write_text(
        "public class Main { public static void main(String[] a) { long s = 0;\n"
        f"for (int i = 0; i < 400000; i++) s += {total}; System.out.println(s); }} }}\n"
    )


def cargo(folder: Path, files: int) -> None:
    """Write a crate without dependencies."""
    source = folder / "src"
    source.mkdir()
    (folder / "Cargo.toml").write_text('[package]\nname = "program"\nversion = "0.1.0"\nedition = "2021"\n')
    modules = "".join(f"mod part{number};\n" for number in range(files))
    total = " + ".join(f"part{number}::value(1)" for number in range(files))
    (source / "main.rs").write_text(f'{modules}fn main() {{ println!("{{}}", {total}); }}\n')
    for number in range(files):
        (source / f"part{number}.rs").write_text(
            f"pub fn value(n: i64) -> i64 {{ n + {number} }}\n"
            f"#[test]\nfn adds() {{ assert_eq!(value(1), {number + 1}); }}\n"
        )


def maven(folder: Path, files: int) -> None:
    """Write a Maven project."""
    source = folder / "src" / "main" / "java"
    source.mkdir(parents=True)
    java(source, files)
    (folder / "pom.xml").write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>g</groupId><artifactId>a</artifactId><version>1</version>"
        "<properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target>"
        "</properties></project>\n"
    )


def _c_sources(folder: Path, files: int) -> list[str]:
    names = [f"part{number}" for number in range(files)]
    (folder / "all.h").write_text("".join(f"int {name}(int);\n" for name in names))
    for number, name in enumerate(names):
        body = "".join(f"    s += (n + {step}) * {random.randrange(9)};\n" for step in range(random.randrange(3, 40)))
        (folder / f"{name}.c").write_text(
            f'#include <stdio.h>\n#include "all.h"\n'
            f"int {name}(int n) {{\n    int s = {number};\n{body}    return s;\n}}\n"
        )
    total = " + ".join(f"{name}(1)" for name in names)
    (folder / "main.c").write_text(
        f'#include <stdio.h>\n#include "all.h"\nint main(void) {{ printf("sum %d\\n", {total}); return 0; }}\n'
    )
    return names


if __name__ == "__main__":
    kind, count, seed, place = sys.argv[1:]
    random.seed(int(seed))
    {"c": c, "cmake": cmake, "python": python, "node": node, "java": java, "cargo": cargo, "maven": maven}[kind](
        Path(place), int(count)
    )
