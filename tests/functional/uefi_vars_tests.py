# SPDX-License-Identifier: GPL-2.0-or-later
"""Bodies of the tests that boot a guest, for every architecture and device.

Each boot runs one shell script in a Linux guest and then powers off, so the
tests look at what the script printed and at the host's file.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import time

from qemu_test import QemuSystemTest

import uefi_vars_guest as guest

BOOT_SECONDS = 120

#: whether the emulator is a distribution's with the module
MODULE = "UEFI_VARS_MODULE" in os.environ

GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
IMGSEC = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
OURS = "5f6b2c1e-94d7-4a38-8e05-b3c7d1a9f062"

BEGIN, END = "begin-of-script\n", "end-of-script\n"
HOSTS_TURN = "the-turn-of-the-host"


def not_in_module(test):
    """Mark a test of what the module cannot have."""
    return None if MODULE else test


def only_in_module(test):
    """Mark a test that needs what only a distribution's emulator has."""
    return test if MODULE else None


def ours(name):
    """Name of our variable as a file in efivarfs."""
    return f"{name}-{OURS}"


class Boot:
    """What a boot showed: the console up to the script, and its output."""

    def __init__(self, text):
        self.text = text
        self.console, _, rest = text.partition(BEGIN)
        said, self.end, _ = rest.partition(END)
        self.lines = said.splitlines()

    def variables(self):
        """The lines of "uefivar list" as {NAME-GUID: (attr, size)}."""
        found = {}
        for line in self.lines:
            words = line.split(None, 2)
            if len(words) == 3 and words[1].isdigit():
                found[words[2]] = (int(words[0], 16), int(words[1]))
        return found


class UefiVarsTest(QemuSystemTest):
    """A guest, its store on the host, and what goes into and out of it."""

    #: set by the test files
    guest_arch = None

    def setUp(self):
        super().setUp()
        self.store = self.scratch_file("vars.json")
        self.image = None       # the store is not in a file, but in this

    # --- the guest ---------------------------------------------------------

    def read_console(self, vm, last_words=None, meanwhile=None):
        """Everything the guest prints until QEMU ends, or until the words
        given.  When it prints HOSTS_TURN, call meanwhile(vm)."""
        raw = b""
        end = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < end:
            vm.console_socket.settimeout(max(end - time.monotonic(), 1))
            try:
                data = vm.console_socket.recv(65536)
            except TimeoutError:
                break
            except ConnectionError:
                data = b""
            if not data:
                return guest.console_text(raw)
            raw += data
            text = guest.console_text(raw)
            if meanwhile and HOSTS_TURN in text:
                meanwhile(vm)
                meanwhile = None
            if last_words and last_words in text:
                vm.shutdown(hard=True)
                return text
        vm.shutdown(hard=True)
        self.fail(f"not done after {BOOT_SECONDS} s; the console said:\n" +
                  guest.console_text(raw))

    def boot(self, script, *args, machine=None, refused=None,
             kernel=None, secure=False, files=None, meanwhile=None,
             append="", flash=None, from_disk=False):
        """Boot with more arguments for QEMU, run the script, power off.
        Or see the boot refused with the words given.  With secure, the
        firmware is one that enforces Secure Boot.  With files, {name: bytes},
        the guest has these and efi-updatevar.  When the script prints
        HOSTS_TURN, meanwhile(vm) is called.  The kernel's command line ends
        with append.  The variables in flash are those of the image flash.  With
        from_disk, kernel and initramfs are files of these names on a disk."""
        initramfs = self.scratch_file("initramfs")
        script = f"echo {BEGIN}{script}\necho {END}"
        guest.initramfs_with(self.guest_arch,
                             {"script": script.encode(), **(files or {})},
                             initramfs, tools=files is not None)
        vm = self.get_vm()
        if machine or self.machine:
            vm.set_machine(machine or self.machine)
        vm.set_console()
        if from_disk:
            disk = self.make_disk("boot-disk", {"/kernel": kernel,
                                                "/initramfs": initramfs})
            vm.add_args(*guest.firmware_args(self.guest_arch, secure,
                                             flash=flash),
                        "-drive", f"if=virtio,format=raw,file={disk}", *args)
        else:
            vm.add_args(*guest.guest_args(self.guest_arch, initramfs, kernel,
                                          append, secure=secure, flash=flash),
                        *args)
        vm.launch()
        text = self.read_console(vm, last_words=refused, meanwhile=meanwhile)
        if not refused:
            vm.wait(timeout=BOOT_SECONDS)
        self.log.info("console:\n%s", text)
        result = Boot(text)
        if refused:
            self.assertIn(refused, result.console)
        else:
            self.assertTrue(result.end, f"the script did not end:\n{text}")
        return result

    def boot_with_store(self, script, *args, says="", **options):
        """Boot; the firmware must have switched to the host's store, and
        said so with the words given."""
        result = self.boot(script, *args, **options)
        self.assertIn(guest.TAKEN_OVER + (f" ({says})" if says else ""),
                      result.console)
        return result

    # --- the host's file ---------------------------------------------------

    def stored(self):
        """The file as {(guid, name): variable}; it must hold nothing but
        distinct non-volatile variables."""
        if self.image:
            self.varstore("import", "--replace", self.image, self.store)
        with open(self.store, encoding="utf-8") as file:
            text = json.load(file)
        self.assertEqual(text["version"], 2)
        found = {(var["guid"], var["name"]): var for var in text["variables"]}
        self.assertEqual(len(found), len(text["variables"]))
        for var in found.values():
            self.assertTrue(var["attr"] & 1, f"volatile variable: {var}")
        return found

    def stored_ours(self):
        """{name: (attr, data in hex)} of the variables under our GUID."""
        return {name: (var["attr"], var["data"])
                for (guid, name), var in self.stored().items()
                if guid == OURS}

    def write_store(self, variables, guid=OURS):
        """A store with {name: (attr, data)}."""
        with open(self.store, "w", encoding="utf-8") as file:
            json.dump({"version": 2, "variables": [
                {"name": name, "guid": guid, "attr": attr, "data": data}
                for name, (attr, data) in variables.items()]}, file)

    # --- bodies ------------------------------------------------------------

    def do_read_write(self, *args, **options):
        """Read, write, append and delete; everything that is non-volatile
        survives power off, and the file is exactly what was written."""
        large = bytes(i % 251 for i in range(20000)).hex()
        first = self.boot_with_store(f"""
uefivar set {ours("Plain")} 7 48656c6c6f
uefivar get {ours("Plain")}
uefivar attr {ours("Plain")}
uefivar set {ours("Changed")} 7 0102030405060708
uefivar set {ours("Changed")} 7 99
uefivar get {ours("Changed")}
uefivar set {ours("Gone")} 7 00
uefivar rm {ours("Gone")} && echo removed
uefivar get {ours("Gone")} 2>&1 | grep -c "no variable"
uefivar set {ours("Large")} 7 {large}
uefivar get {ours("Large")} | md5sum
""", *args, **options)
        self.assertEqual(first.lines[:6],
                         ["48656c6c6f", "07", "99", "removed", "1",
                          self.md5_line(large)])
        expected = {"Plain": (7, "48656c6c6f"), "Changed": (7, "99"),
                    "Large": (7, large)}
        self.assertEqual(self.stored_ours(), expected)

        second = self.boot_with_store(f"""
uefivar list
uefivar get {ours("Plain")}
uefivar get {ours("Changed")}
uefivar get {ours("Large")} | md5sum
uefivar rm {ours("Plain")}
""", *args, **options)
        self.assertEqual(second.lines[-3:],
                         ["48656c6c6f", "99", self.md5_line(large)])
        listed = {name: size for name, (attr, size)
                  in second.variables().items() if name.endswith(OURS)}
        self.assertEqual(listed, {ours("Plain"): 5, ours("Changed"): 1,
                                  ours("Large"): 20000})
        del expected["Plain"]
        self.assertEqual(self.stored_ours(), expected)

    @staticmethod
    def md5_line(text):
        """What md5sum prints for the line of text."""
        return subprocess.run(["md5sum"], input=f"{text}\n", text=True,
                              stdout=subprocess.PIPE,
                              check=True).stdout.strip()

    def do_attributes(self, *args, **options):
        """Attributes and phases: what runtime may see and do (UEFI 8.2)."""
        self.write_store({"BootOnly": (3, "b007"), "Runtime": (7, "50"),
                          "Appended": (7, "0102")})
        boot = self.boot_with_store(f"""
uefivar list
echo BootOnly: $(uefivar get {ours("BootOnly")} 2>&1 | grep -c "no variable")
uefivar set {ours("BootOnly")} 3 00 2>/dev/null; echo write: $?
uefivar set {ours("BootOnly")} 7 00 2>/dev/null; echo cover: $?
uefivar set {ours("NewBootOnly")} 3 00 2>/dev/null; echo create: $?
uefivar set {ours("NewVolatile")} 6 00 2>/dev/null; echo volatile: $?
uefivar set {ours("Runtime")} 6 51 2>/dev/null; echo change: $?
uefivar get {ours("Runtime")}
uefivar append {ours("Appended")} 7 0304
uefivar get {ours("Appended")}
uefivar set SecureBoot-{GLOBAL} 6 01 2>/dev/null; echo SecureBoot: $?
""", *args, **options)
        listed = boot.variables()
        self.assertNotIn(ours("BootOnly"), listed)
        # What the firmware made at boot time, in the volatile store
        for name in ("SecureBoot", "SetupMode", "PlatformLangCodes"):
            self.assertEqual(listed[f"{name}-{GLOBAL}"][0], 6)
        self.assertEqual(boot.lines[len(listed):],
                         ["BootOnly: 1", "write: 1", "cover: 1", "create: 1",
                          "volatile: 1", "change: 1", "50", "01020304",
                          "SecureBoot: 1"])
        self.assertEqual(self.stored_ours(),
                         {"BootOnly": (3, "b007"), "Runtime": (7, "50"),
                          "Appended": (7, "01020304")})

    def do_names(self, *args, **options):
        """Names outside ASCII, from the host's file and from the guest.
        Linux makes one UCS-2 unit of each byte of a new file's name."""
        self.write_store({"Grüße-€": (7, "6869"), "plain": (7, "00")})
        boot = self.boot_with_store(f"""
uefivar list
uefivar get {ours("Grüße-€")}
uefivar set {ours("Grüße-€")} 7 686f
uefivar get {ours("Grüße-€")}
uefivar set {ours("Größe")} 7 01
uefivar get {ours("Größe")}
""", *args, **options)
        self.assertIn(ours("Grüße-€"), boot.variables())
        self.assertEqual(boot.lines[-3:], ["6869", "686f", "01"])
        self.assertEqual(self.stored_ours(), {
            "Grüße-€": (7, "686f"), "plain": (7, "00"),
            "Größe".encode().decode("latin-1"): (7, "01")})

    def do_reset(self, *args, **options):
        """A reset of the guest, with QEMU running on: the firmware finds the
        device anew, non-volatile variables are there."""
        boot = self.boot_with_store(f"""
if ! uefivar get {ours("Mark")} 2>/dev/null; then
    uefivar set {ours("Mark")} 7 beef
    reboot -f
fi
""", *args, **options)
        self.assertEqual(boot.text.count(guest.TAKEN_OVER), 2)
        self.assertEqual(boot.lines[-1], "beef")
        self.assertEqual(self.stored_ours(), {"Mark": (7, "beef")})

    def do_boot_next(self, *args, flash_keys=False):
        """The firmware follows the host's BootNext, once, and its BootOrder;
        it sees neither changed.  What it boots says so, twice.  With
        flash_keys there are keys in flash, which count for nothing.
        A second ROM stands for firmware that uses the device itself: the
        driver that comes later leaves it alone."""
        options = {f"Boot000{n}": guest.boot_option("Test", "\\BOOTAPP.EFI")
                   for n in (1, 2)}
        self.write_store({**{name: (7, data.hex())
                             for name, data in options.items()},
                          "BootOrder": (7, "01000200"),
                          "BootNext": (7, "0200")}, GLOBAL)
        disk = guest.part("bootapp-{arch}.img", self.guest_arch)
        vm = self.get_vm()
        vm.set_machine(self.machine)
        vm.set_console()
        vm.add_args(*guest.firmware_args(self.guest_arch,
                                         flash_keys=flash_keys),
                    "-drive", f"if=none,id=d,format=raw,file={disk}",
                    "-snapshot", "-device", "virtio-blk-pci,drive=d",
                    "-device", "virtio-rng-pci,romfile=uefi-vars.rom", *args)
        vm.launch()
        text = self.read_console(vm)
        vm.wait(timeout=BOOT_SECONDS)
        said = re.findall("bootapp: (.*) end", text)
        self.assertEqual(text.count(guest.TAKEN_OVER), 2)
        self.assertEqual(guest.IN_FLASH in text, flash_keys)
        self.assertEqual(
            [re.sub("(BootOrder=01000200)[0-9]*$", "\\1", line)
             for line in said],
            ["BootCurrent=0200 BootNext= BootOrder=01000200",
             "BootCurrent=0100 BootNext= BootOrder=01000200"])
        stored = {name: var["data"] for (_, name), var in
                  self.stored().items()}
        self.assertNotIn("BootNext", stored)
        self.assertEqual(stored["BootOrder"][:8], "01000200")
        for name, data in options.items():
            self.assertEqual(stored[name], data.hex())

    def do_network_boot(self, *args):
        """The firmware starts what the network has, by an entry that it has
        made in the host's store."""
        program = pathlib.Path(guest.part("bootapp-{arch}/bootapp.efi",
                                          self.guest_arch)).resolve()
        vm = self.get_vm()
        vm.set_machine(self.machine)
        vm.set_console()
        vm.add_args(*guest.firmware_args(self.guest_arch),
                    "-netdev", f"user,id=net,tftp={program.parent},"
                    f"bootfile={program.name}",
                    "-device", "virtio-net-pci,netdev=net,romfile=",
                    # firmware since 2024 has no network without randomness
                    "-device", "virtio-rng-pci", "-no-reboot", *args)
        vm.launch()
        text = self.read_console(vm)
        vm.wait(timeout=BOOT_SECONDS)
        self.assertIn(guest.TAKEN_OVER, text)
        current = re.search("bootapp: BootCurrent=(..)00 ", text)[1]
        label = bytes.fromhex(self.stored()[GLOBAL, f"Boot00{current}"]["data"])
        self.assertIn("PXEv4".encode("utf-16-le"), label)

    def do_no_device(self, *args, script="", **options):
        """Without a device: a clear message, the firmware's own variables.
        Returns the output of the script besides."""
        boot = self.boot(f"""
uefivar list
uefivar set {ours("Flash")} 7 f1a5
uefivar get {ours("Flash")}
{script}""", "-device", "virtio-rng-pci,romfile=uefi-vars.rom", *args,
                         **options)
        self.assertIn(guest.NO_DEVICE, boot.console)
        self.assertNotIn(guest.TAKEN_OVER, boot.console)
        self.assertIn(f"PlatformLang-{GLOBAL}", boot.variables())
        found = boot.lines.index("f1a5")
        return boot.lines[found + 1:]

    # --- others' tools ------------------------------------------------------

    def tool(self, *command):
        """Run a tool among the scratch files; it must succeed.
        Returns its output."""
        self.assertIsNotNone(shutil.which(command[0]),
                             f"{command[0]} is not installed")
        done = subprocess.run(command, check=False, text=True,
                              cwd=self.scratch_file(),
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def make_disk(self, name, files):
        """A disk with {path: file} on it."""
        disk = self.scratch_file(name)
        self.tool("mformat", "-C", "-i", disk, "-T", "32768", "-h", "16",
                  "-s", "63", "::")
        for path, file in files.items():
            for parent in list(pathlib.Path(path).parents)[-2::-1]:
                self.tool("mmd", "-i", disk, f"::{parent}")
            self.tool("mcopy", "-i", disk, str(file), f"::{path}")
        return disk

    def kernel(self):
        return os.path.abspath(guest.part("vmlinuz-{arch}", self.guest_arch))

    def make_store_with_keys(self, *args):
        """A store like the distribution's flash image with Secure Boot keys;
        more arguments for virt-fw-vars."""
        image = guest.firmware(self.guest_arch).vars_with_keys
        self.tool("virt-fw-vars", "-i", image, *args,
                  "--output-json", self.store)

    def do_virt_fw_vars(self, *args, **options):
        """A store made by virt-fw-vars: the guest sees its keys, and the
        tool prints the store when the guest has written to it.  Secure Boot
        is off, for nobody in db has signed the guest's kernel."""
        self.make_store_with_keys("--set-false", "SecureBootEnable")
        before = self.stored()
        keys = {"PK": GLOBAL, "KEK": GLOBAL, "db": IMGSEC, "dbx": IMGSEC}
        boot = self.boot_with_store(f"""
uefivar list
uefivar get SetupMode-{GLOBAL}
uefivar get SecureBoot-{GLOBAL}
uefivar get PK-{GLOBAL}
uefivar set {ours("Hello")} 7 48656c6c6f
""", *args, **options)
        listed = boot.variables()
        for name, guid in keys.items():
            self.assertEqual(listed[f"{name}-{guid}"],
                             (0x27, len(before[guid, name]["data"]) // 2))
        self.assertEqual(boot.lines[-3:],
                         ["00", "00", before[GLOBAL, "PK"]["data"]])

        after = self.stored()
        for name, guid in keys.items():
            for key in ("attr", "data", "time"):
                self.assertEqual(after[guid, name][key],
                                 before[guid, name][key])
        printed = self.tool("virt-fw-vars", "-i", self.store,
                            "--print", "--verbose")
        self.assertIn("name=Hello", printed)
        self.assertIn("name=PK", printed)

    def do_secure_boot(self, *args, **options):
        """Firmware that knows Secure Boot enforces the host's keys: the
        kernel starts only when db has its hash."""
        self.make_store_with_keys()
        self.boot_with_store("true", *args, **options, secure=True,
                             refused="No bootable option or device was found")

        said = self.tool("hash-to-efi-sig-list", self.kernel(), "hash.esl")
        self.make_store_with_keys("--add-db-hash", OURS, said.split()[-1])
        boot = self.boot_with_store(f"""
uefivar get SetupMode-{GLOBAL}
uefivar get SecureBoot-{GLOBAL}
""", *args, **options, secure=True)
        self.assertEqual(boot.lines, ["00", "01"])

    def do_flash_keys(self, *args):
        """With keys in flash the firmware refuses the option ROM, which has no
        signature, and enforces these keys."""
        flash = guest.firmware(self.guest_arch).vars_with_keys
        boot = self.boot("true", *args, flash=flash, secure=True,
                         refused="No bootable option or device was found")
        self.assertNotIn(guest.TAKEN_OVER, boot.console)
        self.assertNotIn("BootOrder", pathlib.Path(self.store).read_text())

    def make_update(self, name, variable, value, signer, second, *options):
        """An update of the variable to the value (a file of signature lists)
        by the signer, as NAME.auth among the scratch files."""
        self.tool("sign-efi-sig-list", *options,
                  "-g", IMGSEC if variable.startswith("db") else GLOBAL,
                  "-t", f"2026-01-01 00:00:{second:02}",
                  "-k", f"{signer}.key", "-c", f"{signer}.crt",
                  variable, value, f"{name}.auth")

    def make_keys(self):
        """NAME.key, NAME.crt and NAME.esl of everybody in do_keys, the signed
        kernel, and the updates, which are returned as {file name: bytes}."""
        for key in ("PK", "PK2", "KEK", "db", "wrong"):
            self.tool("openssl", "req", "-new", "-x509", "-newkey",
                      "rsa:2048", "-nodes", "-subj", f"/CN=test {key}",
                      "-days", "3650", "-keyout", f"{key}.key",
                      "-out", f"{key}.crt")
            self.tool("cert-to-efi-sig-list", "-g", OURS, f"{key}.crt",
                      f"{key}.esl")
        self.tool("sbsign", "--key", "db.key", "--cert", "db.crt",
                  "--output", "kernel", self.kernel())
        # Any image but the kernel
        driver = self.build_file("pc-bios", "uefi-vars",
                                 f"driver-{self.guest_arch}", "uefi-vars.efi")
        self.tool("hash-to-efi-sig-list", driver, "dbx.esl")
        with open(self.scratch_file("empty"), "wb"):
            pass
        updates = [
            ("db", "db", "db.esl", "KEK", 1),
            ("KEK", "KEK", "KEK.esl", "PK", 2),
            ("PK", "PK", "PK.esl", "PK", 3),
            ("dbx-wrong", "dbx", "dbx.esl", "wrong", 4, "-a"),
            ("dbx", "dbx", "dbx.esl", "KEK", 5, "-a"),
            ("db-old-time", "db", "empty", "KEK", 1),
            ("PK-wrong", "PK", "empty", "wrong", 6),
            ("PK2", "PK", "PK2.esl", "PK", 7),
            ("PK2-by-PK", "PK", "empty", "PK", 8),
            ("PK2-by-PK2", "PK", "empty", "PK2", 9),
        ]
        for update in updates:
            self.make_update(*update)
        return {f"{update[0]}.auth": pathlib.Path(
            self.scratch_file(f"{update[0]}.auth")).read_bytes()
            for update in updates}

    def esl(self, name):
        """The signature list NAME.esl in hex"""
        path = pathlib.Path(self.scratch_file(f"{name}.esl"))
        return path.read_bytes().hex()

    def do_keys(self, *args, **options):
        """Keys enrolled from Linux with efitools make user mode; then each
        key variable changes only by the right signature, PK at last."""
        options["files"] = self.make_keys()
        options["kernel"] = self.scratch_file("kernel")
        functions = f"""
update() {{
    mutable /sys/firmware/efi/efivars/$2-* 2>/dev/null
    efi-updatevar $3 -f $1.auth $2 >/dev/null 2>&1 && echo $1: ok ||
        echo $1: no
}}
modes() {{
    echo $(uefivar get SetupMode-{GLOBAL}) $(uefivar get SecureBoot-{GLOBAL})
}}
modes
"""
        boot = self.boot_with_store(functions + """
update db db
update KEK KEK
update PK PK
modes
""", *args, **options)
        self.assertEqual(boot.lines, ["01 00", "db: ok", "KEK: ok", "PK: ok",
                                      "00 00"])
        boot = self.boot_with_store(functions + f"""
update dbx-wrong dbx -a
update dbx dbx -a
update db-old-time db
update PK-wrong PK
update PK2 PK
modes
update PK2-by-PK PK
uefivar rm PK-{GLOBAL} 2>/dev/null || echo rm: no
update PK2-by-PK2 PK
modes
""", *args, **options)
        self.assertEqual(boot.lines,
                         ["00 01", "dbx-wrong: no", "dbx: ok",
                          "db-old-time: no", "PK-wrong: no", "PK2: ok",
                          "00 01", "PK2-by-PK: no", "rm: no",
                          "PK2-by-PK2: ok", "01 01"])
        boot = self.boot_with_store(functions, *args, **options)
        self.assertEqual(boot.lines, ["01 00"])
        keys = {name: var["data"]
                for (guid, name), var in self.stored().items()
                if name in ("PK", "KEK", "db", "dbx")}
        self.assertEqual(keys, {name: self.esl(name)
                                for name in ("KEK", "db", "dbx")})
