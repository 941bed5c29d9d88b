# SPDX-License-Identifier: GPL-2.0-or-later
"""A session of somebody who looks after a guest, with our own tools.

Enrol keys, boot, see from outside what the guest changes, keep a copy, add a
boot entry, move the store into a flash image and back, boot that entry, with a
TPM that finds measured what was foretold.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import uefi_vars_guest as guest
import uefi_vars_tpm as tpm
from uefi_vars_tests import (GLOBAL, HOSTS_TURN, OURS, UefiVarsTest, ours)

TOOL = guest.TOP / "build" / "core" / "tools" / "uefi-varstore" / \
    "uefi-varstore"
JOURNAL = b"#uefi-vars-journal"
JOURNAL_SECONDS = 60

# Of the service, made of what the file has
DERIVED = ["certdb"]
ATTRIBUTES = ["non-volatile", "boot", "runtime", "hardware-error",
              "counter-authenticated", "authenticated"]


class SessionTest(UefiVarsTest):
    """uefi-varstore and QMP on a guest's store."""

    def varstore(self, *args):
        """Output of the command line tool, which must succeed."""
        return self.tool(str(TOOL), *args)

    def listed(self, store):
        """The variables that the tool lists, {(guid, name): variable}."""
        text = json.loads(self.varstore("list", "--json", store))
        return {(var["guid"], var["name"]): var for var in text["variables"]}

    def status(self, store):
        return json.loads(self.varstore("status", "--json", store))

    def copy_journal(self, vm, copy):
        """Copy the store while it has a journal, which QEMU folds when it
        has become long."""
        end = time.monotonic() + JOURNAL_SECONDS
        while time.monotonic() < end:
            os.kill(vm.get_pid(), signal.SIGSTOP)
            data = Path(self.store).read_bytes()
            os.kill(vm.get_pid(), signal.SIGCONT)
            if JOURNAL in data:
                Path(copy).write_bytes(data)
                return
        self.fail("the guest writes, but there is no journal")

    def look(self, vm):
        """See the same from QMP and with the tool, under a guest that
        writes; then let it power off."""
        said = vm.cmd("query-uefi-vars", data=True)
        self.assertEqual(len(said["variables"]), said["matches"])
        seen = {(var["guid"], var["name"]): var for var in said["variables"]
                if "non-volatile" in var["attributes"] and
                var["name"] not in DERIVED}
        found = self.listed(self.store)
        self.assertEqual(seen.keys(), found.keys())
        for key, var in seen.items():
            self.assertEqual(found[key]["attr"],
                             sum(1 << ATTRIBUTES.index(attribute)
                                 for attribute in var["attributes"]))
            if key != (OURS, "Busy"):
                self.assertEqual(found[key]["data"], var["data"])
        self.assertEqual(found[OURS, "Changed"]["data"], "beef")

        qmp, tool = vm.cmd("query-uefi-vars-status"), self.status(self.store)
        self.assertEqual(qmp["phase"], "runtime")
        self.assertEqual(qmp["file"], self.store)
        self.assertTrue(qmp["secure-boot"])
        self.assertNotIn("failure", qmp)
        for member in ("setup-mode", "next-boot", "keys", "dbx-room"):
            self.assertEqual(qmp[member], tool[member])

        refused = subprocess.run([TOOL, "fold", self.store], check=False,
                                 stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True)
        self.assertEqual(refused.returncode, 1, refused.stdout)
        self.assertIn("in use by another process", refused.stderr)

        self.copy_journal(vm, self.scratch_file("copy.json"))
        vm.cmd("uefi-vars-set", name="Go", guid=OURS, data="01")

    def check_copy(self):
        """Folding a copy makes it plain JSON with the same variables."""
        self.assertNotIn("journal: 0 records",
                         self.varstore("check", "copy.json"))
        before = self.listed("copy.json")
        self.assertEqual(before[OURS, "Changed"]["data"], "beef")
        self.varstore("fold", "copy.json")
        self.assertIn("journal: 0 records",
                      self.varstore("check", "copy.json"))
        with open(self.scratch_file("copy.json"), encoding="utf-8") as file:
            plain = json.load(file)["variables"]
        self.assertEqual({(var["guid"], var["name"]): var for var in plain},
                         before)

    def start_tpm(self):
        process, args = tpm.start(self.socket_dir().name)
        # one that no machine has found is still there
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return args

    def check_pcr7(self, lines, store, *args):
        """What the script of the TPM has printed is what is foretold for
        this store."""
        measured = tpm.Measured(lines)
        foretold, = json.loads(self.varstore("pcr7", "--json", *args, store))
        banks = foretold.keys() - {"events"}
        self.assertEqual(
            [(kind, {b: digests[b] for b in banks})
             for kind, digests in measured.events],
            [(event["type"], event["digests"])
             for event in foretold["events"]])
        self.assertEqual({b: measured.pcr7[b] for b in banks},
                         {b: foretold[b] for b in banks})

    def do_session(self, *args, **options):
        """Keys of our own, which the guest's kernel is signed with, and a
        variable live on from one file and form to the next."""
        self.varstore("enroll", "--generate", "Session", self.store)
        self.assertEqual(self.status(self.store)["next-boot"], "enabled")
        self.varstore("set", "--guid", OURS, "--hex", "00", self.store, "Go")
        self.tool("sbsign", "--key", f"{self.store}.db.key",
                  "--cert", f"{self.store}.db.crt",
                  "--output", "kernel", self.kernel())
        options["kernel"] = self.scratch_file("kernel")
        enrolled = self.stored()

        self.boot_with_store(f"""
uefivar set {ours("Changed")} 7 cafe
uefivar set {ours("Changed")} 7 beef
uefivar set {ours("Busy")} 7 0000
echo {HOSTS_TURN}
i=0
while [ "$(uefivar get {ours("Go")})" = 00 ]; do
    i=$((i + 1))
    uefivar set {ours("Busy")} 7 $(printf %04x $((i % 65536)))
done
""", *args, **options, meanwhile=self.look)
        self.check_copy()
        self.varstore("check", self.store)
        self.varstore("fold", self.store)
        self.assertEqual(self.stored_ours()["Changed"], (7, "beef"))

        os.rename(self.store, self.scratch_file("first.json"))
        command_line = guest.kernel_command_line(self.guest_arch)
        self.varstore("boot", "add", "--label", "Session", "--file",
                      "\\kernel", "--args",
                      f"initrd=\\initramfs {command_line}", "first.json")
        template = guest.firmware(self.guest_arch).blank_vars
        self.varstore("export", "--format", "edk2", "--template", template,
                      "first.json", "flash.fd")
        self.varstore("import", "flash.fd", self.store)
        self.assertEqual(self.varstore("diff", "first.json", self.store), "")

        # What is in flash is measured, before the ROM takes over.
        boot = self.boot_with_store(f"""
uefivar get SetupMode-{GLOBAL}
uefivar get SecureBoot-{GLOBAL}
uefivar get {ours("Changed")}
uefivar get PK-{GLOBAL}
{tpm.SCRIPT}""", *args, *self.start_tpm(), **options, from_disk=True,
                                    flash=self.scratch_file("flash.fd"))
        self.assertEqual(boot.lines[:4], ["00", "01", "beef",
                                          enrolled[GLOBAL, "PK"]["data"]])
        self.check_pcr7(boot.lines[4:], "first.json", "--image", "kernel")
        status = self.status(self.store)
        self.assertFalse(status["setup-mode"])
        self.assertEqual(status["keys"][0]["certificates"][0]["subject"],
                         "CN=Session PK")
