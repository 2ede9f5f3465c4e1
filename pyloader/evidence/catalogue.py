"""Every kind of evidence: its stable code, group, weight, technique and sentence.

A weight is in nats (see `pyloader.evidence.item`). Alone, 5.2 nats raise an alert and 7.4 a high one, so the weights
fall into four classes: below 3.1 what administrators and programs do every day, up to 5.1 what is rare but has honest
reasons, up to 7.3 what an operator wants to see, and above it what leaves no doubt.
"""

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pyloader.evidence.item import Evidence, Group

if TYPE_CHECKING:
    from pyloader.host import Entity

SHOWN = 160
"""How many characters of a fact, for example a command, a sentence quotes."""


class Kind(msgspec.Struct, frozen=True):
    """One kind of evidence. `sentence` has a place `{who}` for the entity and `{what}` for the fact."""

    code: str
    group: Group
    nats: float
    technique: str
    sentence: str
    floor: int = 0

    def about(
        self, entity: "Entity", what: str = "", nats: float | None = None, context: tuple[str, ...] = ()
    ) -> Evidence:
        """Return this evidence about an entity, with a weight of its own if the fact has a strength.

        `context` names the baseline that gave the weight.
        """
        text = self.sentence.format(who=named(entity), what=shown(what))
        weight = self.nats if nats is None else nats
        return Evidence(self.code, self.group, weight, text, self.technique, entity, self.floor, context)


class Finding(NamedTuple):
    """What a rule found in a command, before it is known which process it is about."""

    kind: Kind
    what: str


def named(entity: "Entity") -> str:
    """Name an entity for a reader; a process by what it calls itself and its pid."""
    return shown(str(entity))


def shown(text: str) -> str:
    """Return text on one line, printable and of bounded length."""
    if len(text) > SHOWN:
        text = text[: SHOWN - 1] + "…"
    return text if text.isprintable() else "".join(c if c.isprintable() else "·" for c in text)


# Remote shells -------------------------------------------------------------------------------------------------------
SHELL_ON_SOCKET = Kind(
    "shell_on_socket", Group.PROCESS, 10.0, "T1059.004", "{who} has a network socket as standard input and output"
)
ANSWERS_ON_SOCKET = Kind(
    "answers_on_socket",
    Group.PROCESS,
    5.3,
    "T1059.004",
    "{who} answers and complains to a network socket that its shell has opened: {what}",
)
SOCKET_HANDLER = Kind(
    "socket_handler", Group.PROCESS, 2.5, "T1205", "{who} serves a network socket for {what}, which hands out sockets"
)
RELAY_RUNS_PROGRAM = Kind(
    "relay_runs_program", Group.PROCESS, 9.0, "T1059.004", "{who} connects a program to the network: {what}"
)
SHELL_FROM_RELAY = Kind(
    "shell_from_relay", Group.PROCESS, 9.0, "T1059.004", "{who} was started by a network relay to serve a connection"
)
SHELL_PIPED_TO_RELAY = Kind(
    "shell_piped_to_relay", Group.PROCESS, 8.5, "T1059.004", "{who} is joined by pipes to the network relay {what}"
)
SHELL_NETWORK_DEVICE = Kind(
    "shell_network_device", Group.PROCESS, 8.5, "T1059.004", "{who} opens a connection as a shell device: {what}"
)
PORT_PROBE = Kind("port_probe", Group.PROCESS, 2.5, "T1046", "{who} probes a port with a shell device: {what}")
SOCKET_ONE_LINER = Kind(
    "socket_one_liner", Group.PROCESS, 9.0, "T1059", "{who} runs a one-liner that gives commands to a socket: {what}"
)
RELAY_LISTENS = Kind("relay_listens", Group.PROCESS, 2.0, "T1571", "{who} waits for a connection: {what}")

# Code from elsewhere -------------------------------------------------------------------------------------------------
DOWNLOAD_TO_SHELL = Kind(
    "download_to_shell", Group.PROCESS, 8.5, "T1105", "{who} runs code as it is downloaded by {what}"
)
DECODED_TO_SHELL = Kind("decoded_to_shell", Group.PROCESS, 8.5, "T1140", "{who} runs code as it is decoded by {what}")
DOWNLOADED_CODE = Kind(
    "downloaded_code", Group.PROCESS, 8.0, "T1059", "{who} runs a one-liner that executes what it downloads: {what}"
)
DECODED_CODE = Kind(
    "decoded_code", Group.PROCESS, 8.0, "T1140", "{who} runs a one-liner that executes what it decodes: {what}"
)
DOWNLOAD_EXECUTED = Kind(
    "download_executed", Group.SEQUENCE, 4.5, "T1105", "{who} executes a file that was just downloaded by {what}"
)
DROP_EXECUTED = Kind(
    "drop_executed",
    Group.SEQUENCE,
    7.6,
    "T1105",
    "{who} executes a file that was just downloaded to a temporary place by {what}",
)
UNPACKED_EXECUTED = Kind(
    "unpacked_executed",
    Group.SEQUENCE,
    8.0,
    "T1140",
    "{who} executes a file that was just decoded or unpacked by {what}",
)
SCRAMBLED_CODE = Kind("scrambled_code", Group.PROCESS, 2.5, "T1027", "{who} runs code that hides its words: {what}")
ENCODED_ARGUMENT = Kind(
    "encoded_argument", Group.PROCESS, 1.5, "T1027", "{who} was given a long encoded argument: {what}"
)

# Images --------------------------------------------------------------------------------------------------------------
MEMORY_FILE = Kind("memory_file", Group.PROCESS, 9.0, "T1620", "{who} runs from memory, not from a file: {what}")
PROGRAM_ON_SOCKET = Kind(
    "program_on_socket",
    Group.PROCESS,
    8.0,
    "T1059",
    "{who} has a network socket as standard input and output, and no package brought it: {what}",
)
DELETED_IMAGE = Kind("deleted_image", Group.PROCESS, 3.0, "T1070.004", "{who} runs a file without a name: {what}")
DELETED_DROP = Kind(
    "deleted_drop",
    Group.PROCESS,
    8.0,
    "T1070.004",
    "{who} runs a deleted file from a place for temporary files: {what}",
)
SHARED_MEMORY_IMAGE = Kind(
    "shared_memory_image", Group.PROCESS, 5.4, "T1036.005", "{who} runs from a place that holds no programs: {what}"
)
TEMPORARY_IMAGE = Kind(
    "temporary_image", Group.PROCESS, 1.8, "T1036.005", "{who} runs from a place where everyone may write: {what}"
)
HIDDEN_IMAGE = Kind("hidden_image", Group.PROCESS, 1.6, "T1564.001", "{who} runs from a hidden place: {what}")
HIDDEN_SYSTEM_IMAGE = Kind(
    "hidden_system_image", Group.PROCESS, 3.5, "T1564.001", "{who} runs from a hidden place outside a home: {what}"
)
FAKE_KERNEL_THREAD = Kind(
    "fake_kernel_thread", Group.PROCESS, 8.0, "T1036.004", "{who} runs {what} under the name of a kernel thread"
)
FAKE_DAEMON = Kind("fake_daemon", Group.PROCESS, 4.4, "T1036.005", "{who} has the name of a daemon but runs {what}")

# Services ------------------------------------------------------------------------------------------------------------
SHELL_FROM_SERVICE = Kind("shell_from_service", Group.PROCESS, 8.5, "T1505.003", "{who} was started by {what}")
TOOL_FROM_SERVICE = Kind("tool_from_service", Group.PROCESS, 8.0, "T1190", "{who} was started by {what}")
SERVICE_STARTS_TOOL = Kind("service_starts_tool", Group.PROCESS, 8.0, "T1190", "{who} is a service and started {what}")
SERVICE_STARTS_HELPER = Kind(
    "service_starts_helper", Group.PROCESS, 2.0, "T1190", "{who} was started by {what}, as its settings may ask for"
)
TOOL_FROM_APPLICATION = Kind(
    "tool_from_application", Group.PROCESS, 2.5, "T1190", "{who} was started by {what}, an application server"
)

# Novelty -------------------------------------------------------------------------------------------------------------
NEW_CHILD = Kind("new_child", Group.PROCESS, 4.0, "", "{who}: none of {what}")
NEW_IN_SERVICE = Kind("new_in_service", Group.PROCESS, 4.0, "", "{who}: none of {what}")
NEW_USER = Kind("new_user", Group.PROCESS, 4.0, "", "{who}: none of {what}")
NEW_ARGUMENTS = Kind("new_arguments", Group.PROCESS, 4.0, "", "{who}: none of {what}")

# Privileges ----------------------------------------------------------------------------------------------------------
CREDENTIALS_UNEXPLAINED = Kind(
    "credentials_unexplained",
    Group.CREDENTIALS,
    12.0,
    "T1068",
    "{who} has credentials that no call and no execution gave to it: {what}",
    floor=90,
)
CAPABILITY_TO_ROOT = Kind(
    "capability_to_root", Group.CREDENTIALS, 7.6, "T1548.001", "{who} made itself root by a capability: {what}"
)
SETUID_TOOL = Kind(
    "setuid_tool",
    Group.CREDENTIALS,
    9.0,
    "T1548.001",
    "{who} has a set-uid bit that hands its rights to anyone: {what}",
)
SETUID_TEMPORARY = Kind(
    "setuid_temporary",
    Group.CREDENTIALS,
    8.5,
    "T1548.001",
    "{who} is set-uid in a place where everyone may write: {what}",
)
SETUID_UNUSUAL = Kind(
    "setuid_unusual",
    Group.CREDENTIALS,
    1.5,
    "T1548.001",
    "{who} is a set-uid program that systems do not bring: {what}",
)
CAPABLE_INTERPRETER = Kind(
    "capable_interpreter",
    Group.CREDENTIALS,
    6.0,
    "T1548.001",
    "{who} runs any code with file capabilities that lead to root: {what}",
)
PRIVILEGED_ESCAPE = Kind(
    "privileged_escape", Group.CREDENTIALS, 8.0, "T1548.003", "{who} opens a shell from a privileged tool: {what}"
)
PRIVILEGED_WRAPPER = Kind(
    "privileged_wrapper", Group.CREDENTIALS, 7.6, "T1548.003", "{who} wraps a privileged shell: {what}"
)
PRIVILEGED_HOOK = Kind(
    "privileged_hook",
    Group.CREDENTIALS,
    5.4,
    "T1548.003",
    "{who} is a privileged tool that is told to run a program: {what}",
)
ESCAPED_SHELL = Kind("escaped_shell", Group.CREDENTIALS, 7.8, "T1548", "{who} is a privileged shell out of {what}")
EXPLOIT_ARGUMENTS = Kind(
    "exploit_arguments", Group.CREDENTIALS, 8.5, "T1068", "{who} got arguments that exploit a set-uid program: {what}"
)
SHELL_ESCAPE = Kind("shell_escape", Group.PROCESS, 5.3, "T1059", "{who} opens a shell from another tool: {what}")
TERMINAL_SPAWN = Kind(
    "terminal_spawn", Group.PROCESS, 6.0, "T1059", "{who} gives a shell a terminal from a one-liner: {what}"
)

# Persistence ---------------------------------------------------------------------------------------------------------
SCHEDULED = Kind("scheduled_job", Group.PROCESS, 1.8, "T1053.003", "{who} changes scheduled jobs: {what}")
TRANSIENT_UNIT = Kind("transient_unit", Group.PROCESS, 1.5, "T1053.006", "{who} schedules a transient unit: {what}")
UNIT_ENABLED = Kind("unit_enabled", Group.PROCESS, 1.2, "T1543.002", "{who} makes a unit start by itself: {what}")
START_FILE_WRITTEN = Kind(
    "start_file_written", Group.PROCESS, 2.6, "T1037", "{who} writes a file that runs at start or login: {what}"
)
LOADER_HOOKED = Kind(
    "loader_hooked", Group.PROCESS, 7.6, "T1574.006", "{who} makes every program load a library: {what}"
)
LIBRARY_PRELOADED = Kind(
    "library_preloaded", Group.PROCESS, 2.2, "T1574.006", "{who} preloads a library into a program: {what}"
)
LIBRARY_PRELOADED_TEMPORARY = Kind(
    "library_preloaded_temporary",
    Group.PROCESS,
    5.4,
    "T1574.006",
    "{who} preloads a library from a place for temporary files: {what}",
)
KEYS_WRITTEN = Kind(
    "ssh_keys_written", Group.PROCESS, 3.0, "T1098.004", "{who} changes who may log in with a key: {what}"
)
ACCOUNT_CREATED = Kind("account_created", Group.PROCESS, 1.5, "T1136.001", "{who} creates an account: {what}")
ROOT_ACCOUNT = Kind("root_account", Group.PROCESS, 7.4, "T1136.001", "{who} creates a second root account: {what}")
ACCOUNT_FILE_WRITTEN = Kind(
    "account_file_written", Group.PROCESS, 4.8, "T1098", "{who} writes the account database itself: {what}"
)
POLICY_WRITTEN = Kind("policy_written", Group.PROCESS, 3.4, "T1556", "{who} changes who may become whom: {what}")
RIGHTS_GIVEN_AWAY = Kind(
    "rights_given_away", Group.PROCESS, 7.6, "T1548.003", "{who} lets someone become root without being asked: {what}"
)
LOGIN_WEAKENED = Kind("login_weakened", Group.PROCESS, 7.6, "T1556.003", "{who} lets logins pass unchecked: {what}")
PAYLOAD_PLANTED = Kind(
    "payload_planted",
    Group.PROCESS,
    8.0,
    "T1037",
    "{who} makes the host run by itself what was dropped or hides itself: {what}",
)
ROOT_GROUP = Kind("root_group", Group.PROCESS, 5.3, "T1098", "{who} puts an account into the group of root: {what}")
SETGID_BIT_TEMPORARY = Kind(
    "setgid_bit_temporary", Group.PROCESS, 5.3, "T1548.001", "{who} gives a temporary program a set-gid bit: {what}"
)
FILE_CAPABILITY_HANDED = Kind(
    "file_capability_handed",
    Group.PROCESS,
    7.6,
    "T1548.001",
    "{who} gives capabilities that lead to root to what runs any code: {what}",
)
SETUID_BIT = Kind("setuid_bit", Group.PROCESS, 2.8, "T1548.001", "{who} gives a file a set-uid or set-gid bit: {what}")
SETUID_BIT_TEMPORARY = Kind(
    "setuid_bit_temporary",
    Group.PROCESS,
    7.4,
    "T1548.001",
    "{who} gives a shell or a temporary file a set-uid bit: {what}",
)
FILE_CAPABILITY = Kind("file_capability", Group.PROCESS, 1.5, "T1548.001", "{who} gives a file capabilities: {what}")
FILE_CAPABILITY_ROOT = Kind(
    "file_capability_root", Group.PROCESS, 5.4, "T1548.001", "{who} gives a file capabilities that lead to root: {what}"
)
MODULE_LOADED = Kind(
    "module_loaded", Group.PROCESS, 2.4, "T1547.006", "{who} loads a kernel module from a file: {what}"
)
MODULE_LOADED_TEMPORARY = Kind(
    "module_loaded_temporary",
    Group.PROCESS,
    5.4,
    "T1547.006",
    "{who} loads a kernel module from a place for temporary files: {what}",
)

# Defence evasion -----------------------------------------------------------------------------------------------------
HISTORY_CLEARED = Kind(
    "history_cleared", Group.PROCESS, 2.5, "T1070.003", "{who} clears or stops shell history: {what}"
)
HISTORY_FILE_CLEARED = Kind(
    "history_file_cleared", Group.PROCESS, 5.3, "T1070.003", "{who} destroys a history file: {what}"
)
LOGIN_RECORDS_CLEARED = Kind(
    "login_records_cleared", Group.PROCESS, 5.0, "T1070.002", "{who} destroys records of who was here: {what}"
)
LOGS_CLEARED = Kind("logs_cleared", Group.PROCESS, 1.8, "T1070.002", "{who} removes or empties logs: {what}")
LOG_OVERWRITTEN = Kind(
    "log_overwritten", Group.PROCESS, 5.3, "T1070.002", "{who} overwrites a log so that nothing of it stays: {what}"
)
TIMESTAMP_FORGED = Kind(
    "timestamp_forged", Group.PROCESS, 5.3, "T1070.006", "{who} gives a file the age of a program of the system: {what}"
)
TIMESTAMP_SET = Kind("timestamp_set", Group.PROCESS, 1.5, "T1070.006", "{who} gives a file another time: {what}")
DEFENCE_STOPPED = Kind("defence_stopped", Group.PROCESS, 4.8, "T1562.001", "{who} stops a security service: {what}")
FIREWALL_OPENED = Kind("firewall_opened", Group.PROCESS, 2.8, "T1562.004", "{who} opens the firewall: {what}")
HARDENING_LOWERED = Kind(
    "hardening_lowered", Group.PROCESS, 3.0, "T1562", "{who} lowers a protection of the kernel: {what}"
)
ATTRIBUTE_LOCKED = Kind("attribute_locked", Group.PROCESS, 2.2, "T1222.002", "{who} changes the immutable bit: {what}")

# Credentials, memory, containers, tools ------------------------------------------------------------------------------
SECRET_READ = Kind("secret_read", Group.PROCESS, 3.0, "T1003.008", "{who} reads secrets: {what}")
SECRET_COPIED = Kind("secret_copied", Group.PROCESS, 5.2, "T1003.008", "{who} takes secrets away: {what}")
KEY_HUNT = Kind("key_hunt", Group.PROCESS, 2.8, "T1552.004", "{who} looks for keys or passwords: {what}")
SETUID_HUNT = Kind("setuid_hunt", Group.PROCESS, 2.4, "T1083", "{who} looks for files that grant rights: {what}")
MEMORY_READ = Kind("memory_read", Group.MEMORY, 5.4, "T1003.007", "{who} reads the memory of another process: {what}")
MEMORY_DUMP = Kind("memory_dump", Group.MEMORY, 2.4, "T1003.007", "{who} dumps or attaches to a process: {what}")
DEBUGGER_CALLS = Kind(
    "debugger_calls", Group.MEMORY, 7.6, "T1055.008", "{who} has a debugger run or change code in a process: {what}"
)
NAMESPACE_ENTERED = Kind(
    "namespace_entered", Group.PROCESS, 3.0, "T1611", "{who} enters the namespaces of the host: {what}"
)
CONTAINER_ESCAPE = Kind("container_escape", Group.PROCESS, 5.4, "T1611", "{who} leaves container {what}")
ESCAPE_FILE_WRITTEN = Kind(
    "escape_file_written", Group.PROCESS, 7.6, "T1611", "{who} makes the kernel run a program of its own: {what}"
)
HOST_MOUNTED = Kind("host_mounted", Group.PROCESS, 4.6, "T1611", "{who} gives a container the whole host: {what}")
HOST_MOUNTED_SHELL = Kind(
    "host_mounted_shell", Group.PROCESS, 7.6, "T1611", "{who} opens the host's files through a container: {what}"
)
OFFENSIVE_TOOL = Kind("offensive_tool", Group.PROCESS, 4.6, "T1588.002", "{who} has the name of an attack tool: {what}")
NETWORK_SCAN = Kind("network_scan", Group.PROCESS, 2.2, "T1046", "{who} scans the network: {what}")
HOST_SWEEP = Kind("host_sweep", Group.OUTBOUND, 7.6, "T1018", "{who} looks for hosts one by one: {what}")
MINER = Kind("miner", Group.PROCESS, 7.4, "T1496", "{who} is told to mine for a pool: {what}")

# Code in memory. Where a habit decides the weight (`habits`), the number here is its cap. -----------------------------
RUN_TIME_CODE = Kind("run_time_code", Group.MEMORY, 4.0, "T1620", "{who} made code at run time: {what}")
CODE_LOADER = Kind(
    "code_loader", Group.PROCESS, 7.5, "T1620", "{who} runs a one-liner that loads machine code into memory: {what}"
)
FACING_CODE = Kind(
    "facing_code", Group.MEMORY, 8.0, "T1620", "{who} made its first code while it faced the network: {what}"
)
STACK_CODE = Kind("stack_code", Group.MEMORY, 6.0, "T1203", "{who} made its stack or heap executable: {what}")
TEXT_RELOCATION = Kind("text_relocation", Group.MEMORY, 4.0, "T1620", "{who} runs changed pages of a file: {what}")
MEMORY_FILE_CODE = Kind(
    "memory_file_code", Group.MEMORY, 4.0, "T1620", "{who} mapped an anonymous memory file as code: {what}"
)
DUAL_MAPPING = Kind(
    "dual_mapping", Group.MEMORY, 6.0, "T1620", "{who} has code that it can write elsewhere in its memory: {what}"
)
CALL_FROM_MEMORY = Kind(
    "call_from_memory", Group.MEMORY, 5.0, "T1620", "{who} made a system call from code without a file: {what}"
)
CALL_FROM_FRESH_CODE = Kind(
    "call_from_fresh_code", Group.MEMORY, 6.5, "T1620", "{who} made a system call from code that it just made: {what}"
)
FOREIGN_STACK = Kind(
    "foreign_stack", Group.MEMORY, 6.0, "T1203", "{who} made a system call on a stack that is none of its own: {what}"
)
STACK_PIVOT = Kind(
    "stack_pivot", Group.MEMORY, 8.0, "T1203", "{who} had its stack moved to where chains of code are planted: {what}"
)
CODE_THEN_EXEC = Kind(
    "code_then_exec", Group.SEQUENCE, 1.5, "T1620", "{who} executed a program within a minute after it made code"
)
CODE_THEN_CHILD = Kind(
    "code_then_child", Group.SEQUENCE, 1.0, "T1620", "{who} started a program within a minute after it made code"
)
CODE_THEN_CONNECT = Kind(
    "code_then_connect", Group.SEQUENCE, 1.5, "T1620", "{who} connected within a minute after it made code"
)
USERFAULTFD = Kind(
    "userfaultfd", Group.MEMORY, 5.0, "T1068", "{who} can halt the kernel at its page faults (userfaultfd){what}"
)

# Reaching into other processes ---------------------------------------------------------------------------------------
PROCESS_ATTACHED = Kind("process_attached", Group.MEMORY, 4.0, "T1055.008", "{who} attached to {what}")
PROCESS_TAMPERED = Kind(
    "process_tampered", Group.MEMORY, 8.0, "T1055.008", "{who} changed the memory or registers of {what}"
)
MEMORY_COPIED = Kind("memory_copied", Group.MEMORY, 3.0, "T1003.007", "{who} read the memory of {what}")
KEEPER_READ = Kind(
    "keeper_read",
    Group.MEMORY,
    8.0,
    "T1003.007",
    "{who} read the memory of a process that holds passwords or keys: {what}",
)
MEMORY_WRITTEN = Kind("memory_written", Group.MEMORY, 8.0, "T1055", "{who} wrote to the memory of {what}")
MEMORY_FILE_WRITTEN = Kind(
    "memory_file_written", Group.MEMORY, 8.0, "T1055.009", "{who} wrote to the memory file of {what}"
)
MEMORY_FILE_OPENED = Kind(
    "memory_file_opened", Group.MEMORY, 7.6, "T1055.009", "{who} opened the memory file of {what} for writing"
)
MEMORY_FILE_READ = Kind(
    "memory_file_read", Group.MEMORY, 7.6, "T1003.007", "{who} opened the memory file of {what} to read it"
)
OWN_MEMORY_WRITTEN = Kind(
    "own_memory_written", Group.MEMORY, 5.0, "T1055.009", "{who} wrote to its own memory as a file{what}"
)
REACH_REFUSED = Kind("reach_refused", Group.MEMORY, 4.0, "T1055", "{who} was refused to {what}")

# Crashes -------------------------------------------------------------------------------------------------------------
CRASHED = Kind("crashed", Group.MEMORY, 2.5, "", "{who} crashed: {what}")
STACK_SMASHED = Kind("stack_smashed", Group.MEMORY, 5.0, "T1203", "{who} had its stack overwritten: {what}")
HEAP_CORRUPTED = Kind("heap_corrupted", Group.MEMORY, 4.0, "T1203", "{who} had its heap corrupted: {what}")
JUMP_TO_DATA = Kind("jump_to_data", Group.MEMORY, 6.0, "T1203", "{who} jumped to memory that is no code: {what}")
JUMP_TO_NOTHING = Kind("jump_to_nothing", Group.MEMORY, 4.5, "T1203", "{who} jumped to where no memory is: {what}")
CRASH_STORM = Kind("crash_storm", Group.MEMORY, 9.0, "T1190", "{who} faces the network and crashes on and on: {what}")
PRIVILEGED_CRASH_STORM = Kind(
    "privileged_crash_storm", Group.MEMORY, 9.0, "T1068", "{who} has rights of others and crashes on and on: {what}"
)
CRASH_LOOP = Kind("crash_loop", Group.MEMORY, 2.5, "", "{who} crashes on and on: {what}")

# Usage ---------------------------------------------------------------------------------------------------------------
MEMORY_BURST = Kind("memory_burst", Group.MEMORY, 2.0, "T1499", "{who} takes up memory fast: {what}")
OUT_OF_MEMORY = Kind("out_of_memory", Group.MEMORY, 1.0, "T1499", "{who} was killed for want of memory{what}")

# Sequences -----------------------------------------------------------------------------------------------------------
RECONNAISSANCE = Kind(
    "reconnaissance", Group.SEQUENCE, 5.4, "T1082", "{who} ran commands that explore a host in quick succession: {what}"
)
