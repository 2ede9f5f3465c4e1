"""The wheel's build hook: hatchling runs it, it builds what is not Python and says where that goes.

`PYLOADER_TARGET_ARCH` selects the architecture. The objects and the library are added by name: they are ignored by
git, and hatchling leaves such files out of a wheel.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NativePartsHook(BuildHookInterface[Any]):
    """Adds BPF objects, the bundled library and its licences to a wheel for one architecture."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the native parts; `version` is `standard` for a wheel, `editable` for a link to the checkout."""
        # Hatchling loads this file alone; its siblings are found from the root of the checkout.
        sys.path.insert(0, self.root)
        try:
            from bpf.build import library, objects, sources  # noqa: PLC0415 -- only importable from here on
            from bpf.build.failure import BuildError  # noqa: PLC0415 -- likewise
            from bpf.build.target import Target  # noqa: PLC0415 -- likewise
        finally:
            sys.path.remove(self.root)

        try:
            target = Target.native() if version == "editable" else Target.wanted()
            programs, shared_object = objects.build(target), library.build(target)
        except BuildError as error:
            self.app.abort(f"pyloader: {error}")
        build_data["pure_python"] = False
        build_data["tag"] = target.wheel_tag
        if version == "editable":
            return
        metadata = f"{self.build_config.builder.project_id}.dist-info"
        destinations: dict[Path, str] = {
            **{path: f"pyloader/objects/{path.name}" for path in objects.built(programs)},
            shared_object: f"pyloader/lib/{shared_object.name}",
            **{
                text: f"{metadata}/licenses/{source.name}/{text.name}"
                for source in sources.unpacked().values()
                for text in source.licence_files
            },
        }
        build_data["force_include"].update({str(path): name for path, name in destinations.items()})
