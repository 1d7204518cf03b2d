"""What a command asks of its process."""

import platform
import subprocess
import sys

import pytest

PAGES = """
import resource, sys
import numpy as np
from counterpoint.commands.process import keep_memory

if sys.argv[1] == "keep":
    keep_memory()

def touched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(2**22)  # 32 MB, let go at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

touched()
print(touched())
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="asks glibc to keep memory, and this system has another libc"
)
def test_memory_that_was_let_go_is_used_again():
    faults = {
        how: int(subprocess.run([sys.executable, "-c", PAGES, how], check=True, capture_output=True, text=True).stdout)
        for how in ("keep", "as it is")
    }
    assert faults["as it is"] > 0  # huge pages may make them few, but never none
    assert faults["keep"] < faults["as it is"] / 4
