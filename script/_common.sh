# Read by the other scripts: where things are, and how to speak.
set -euo pipefail
ROOT="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
LOCAL="$ROOT/.local"
PY="$ROOT/.venv/bin/python"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
# Text is UTF-8 whatever the machine's language is; this path may hold Chinese.
if [ -z "${LC_ALL:-}" ]; then
    export LC_ALL=C.UTF-8
fi

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
