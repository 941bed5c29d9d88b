# SPDX-License-Identifier: GPL-2.0-or-later
"""What can happen to a live QEMU, and the one rule that must hold after it.

A World is one guest on its way through QEMU processes, store files and faults
of the disk under them.  Each method that an event can name makes something
happen and notes what may be in which file from then on.  After each event the
store of the machine, and the files as uefi-varstore reads them, are compared
with that: what was acknowledged is there, and what is there was asked for.

No event waits for time to pass: the clock of QEMU is put forward.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import time

from uefi_vars_machine import (
    APPEND, NV_BS_RT, SET, SUCCESS, VENDOR, Gone, Machine, Refused, access)
from uefi_vars_nbd import Nbd
from uefi_vars_shim import WRITES, Shim

DRIVE_BYTES = 40 << 20      # for the largest size of a store
RETRY_SECONDS = 40          # in which a repaired disk is noticed for sure
PATIENCE_SECONDS = 60       # for what depends on the speed of this machine
BURST_BYTES = 0x7800        # of each write
NO_VALUE = bytes(0)


class Violation(Exception):
    """The rule is broken, or QEMU refuses or ends without a reason."""


def text_of(state):
    return ' '.join(f'{name}={len(value)}:{value[:4].hex()}'
                    for name, value in sorted(state.items())) or 'nothing'


class Store:
    """A file, and the states that may be in it."""

    def __init__(self, path, state=None):
        self.path = path
        self.states = [state or {}]
        self.refused = []

    def may_be(self, state):
        if state not in self.states:
            self.states.append(dict(state))

    def must_be(self, state):
        self.states, self.refused = [dict(state)], []

    def settled(self, state):
        """
        What may be there when @state has been written.  A record that could
        not be may stay until the next one comes
        (docs/specs/uefi-vars-file.rst), though the guest was told so.
        """
        return [dict(state), *self.refused]


class Guest:
    """A machine and what its guest knows to be stored."""

    def __init__(self, machine, store, state, runs=True):
        self.machine, self.store, self.state = machine, store, state
        self.runs = runs            # or is paused, or waits
        self.has_run = runs         # since its state came from elsewhere
        self.has_image = runs       # which a target gets when it runs
        self.loads = True           # QEMU does not after a late cancel


class World:
    def __init__(self, tools, directory, size, drive=None):
        """@tools: emulator, uefi-varstore, shim and image for snapshots
        @drive: 'raw', 'qcow2' or 'nbd' for a store on the block layer"""
        self.tools, self.directory, self.size = tools, directory, size
        self.drive, self.server = drive, None
        self.disk = directory / 'disk'
        self.disk.mkdir()
        self.image = directory / 'image.qcow2'
        shutil.copy(tools.image, self.image)
        self.shim = Shim(tools.shim, directory / 'control', self.disk)
        self.processes = []
        self.numbers = 0
        self.snapshots = {}
        self.faulty = self.away = False
        self.target = self.left = None
        store = Store(self.disk / ('vars.img' if drive else 'vars.json'))
        if drive:
            self.make_drive(store.path)
        self.guest = Guest(self.start(store), store, {})

    # ---------------------------------------------------------------------
    # Processes

    def make_drive(self, path):
        if self.drive == 'qcow2':
            shutil.copy(self.tools.image, path)
            return
        path.touch()
        os.truncate(path, DRIVE_BYTES)
        if self.drive == 'nbd':
            self.server = Nbd(self.tools.emulator.parent, self.directory,
                              path)

    def drive_args(self, path):
        file = {'driver': 'file', 'filename': str(path)}
        node = {'raw': file, 'qcow2': {'driver': 'qcow2', 'file': file},
                'nbd': self.server and self.server.node()}[self.drive]
        return ['-blockdev', json.dumps({'node-name': 'vars', **node}),
                '-device', f'uefi-vars-x64,drive=vars,size={self.size}']

    def start(self, store, *args):
        machine = Machine(
            self.tools.emulator, None if self.drive else store.path,
            self.size, self.shim.env,
            ['-blockdev', 'driver=qcow2,node-name=image,cache.no-flush=on,'
             f'file.driver=file,file.filename={self.image}',
             *(self.drive_args(store.path) if self.drive else []), *args])
        self.processes.append(machine)
        return machine

    def end(self, machine):
        self.processes.remove(machine)
        machine.close()

    def close(self):
        for machine in list(self.processes):
            self.end(machine)

    def finish(self):
        self.close()
        if self.server:
            self.server.kill()

    def new_path(self, suffix):
        self.numbers += 1
        return self.directory / f'{self.numbers}.{suffix}'

    def restart(self):
        """All is gone but the file of the guest: run it again."""
        self.target = self.left = None
        self.close()
        self.shim.die(0)
        self.back()
        store = self.guest.store
        try:
            machine = self.start(store)
        except RuntimeError:
            if not self.faulty:
                raise
            self.repair()
            machine = self.start(store)
        self.guest = Guest(machine, store, self.read_memory(machine))
        self.expect(self.guest.state, store.states, 'a restart finds')
        store.must_be(self.guest.state)

    # ---------------------------------------------------------------------
    # Looking

    @staticmethod
    def expect(found, states, what):
        if found not in states:
            raise Violation(f'{what} {text_of(found)} instead of ' +
                            ' or '.join(text_of(state) for state in states))

    @staticmethod
    def read_memory(machine):
        page = machine.command('query-uefi-vars', guid=VENDOR, data=True)
        return {entry['name']: bytes.fromhex(entry.get('data', ''))
                for entry in page['variables']}

    def read_file(self, store):
        if not store.path.exists():
            return {}
        tool = subprocess.run([self.tools.varstore, 'list', '-j', '-g', VENDOR,
                               store.path], text=True, capture_output=True)
        if self.drive and 'the image is blank' in tool.stderr:
            return {}
        if tool.returncode:
            raise Violation(f'the file cannot be read: {tool.stderr.strip()}')
        return {entry['name']: bytes.fromhex(entry['data'])
                for entry in json.loads(tool.stdout)['variables']}

    def check_file(self, store, states=None, patience=0):
        """
        @states: what may be there, if less than what the store says
        @patience: seconds in which the file may still be on its way
        """
        states = states or store.states
        if self.drive == 'qcow2':
            # no file that could be read: the next start tells
            if not patience:
                store.states = states
            return
        until = time.monotonic() + patience
        while True:
            found = self.read_file(store)
            if found in states or time.monotonic() > until:
                break
            self.pass_time(1, 1)
            time.sleep(0.01)
        self.expect(found, states, f'{store.path.name} has')
        store.states = states

    def check(self):
        guest = self.guest
        self.expect(self.read_memory(guest.machine), [guest.state],
                    'the machine has')
        if not self.away:
            self.check_file(guest.store)
        if self.target and self.target.store is not guest.store:
            self.check_file(self.target.store)

    def step(self, event):
        """Let (name, argument...) happen, and look."""
        name, *arguments = event
        try:
            getattr(self, name)(*arguments)
            self.check()
        except Gone:
            self.fallen()

    def fallen(self):
        """A machine has ended: by the fault that was asked for, or else."""
        until = time.monotonic() + 1
        while time.monotonic() < until and all(
                machine.process.poll() is None for machine in self.processes):
            time.sleep(0.001)
        for machine in self.processes:
            status = machine.process.poll()
            if status not in (None, -signal.SIGKILL):
                raise Violation(f'QEMU has ended with status {status}: ' +
                                machine.process.stderr.read().strip())
        self.restart()
        self.check()

    def pass_time(self, seconds, times):
        """Timers see the clock when QEMU has something to do."""
        for _ in range(times):
            self.shim.skip(seconds)
            for machine in self.processes:
                machine.command('query-status')

    # ---------------------------------------------------------------------
    # Events: requests

    def request(self, state, send, name):
        """A change to @state; @send returns None or why it was refused."""
        guest = self.guest
        guest.store.may_be(state)
        refusal = send()
        if not refusal:
            guest.state = state
            if guest.has_run:
                guest.store.must_be(state)
                if self.away:
                    raise Violation(f'{name} succeeds, but the file has no '
                                    'name')
        elif guest.has_run and not self.faulty and not self.away:
            raise Violation(f'{name} is refused: {refusal}')
        else:
            guest.store.refused.append(state)

    def changed(self, name, data, how):
        """(attributes, data, state) of a request of the guest"""
        state = dict(self.guest.state)
        old = state.get(name, NO_VALUE)
        if how == 'append' and 0 < len(old) < 9000:
            state[name] = old + data
            return NV_BS_RT | APPEND, data, state
        if how == 'delete' and old:
            del state[name]
            return NV_BS_RT, NO_VALUE, state
        state[name] = data
        return NV_BS_RT, data, state

    def write(self, name, size, seed, how):
        if not self.guest.runs:
            return
        attributes, data, state = self.changed(
            name, random.Random(seed).randbytes(size), how)

        def send():
            status = self.guest.machine.send(
                access(SET, name, data, attributes=attributes))
            return None if status == SUCCESS else f'{status:#x}'
        self.request(state, send, f'SetVariable {name}')

    def host_write(self, name, size, seed):
        _, data, state = self.changed(
            name, random.Random(seed).randbytes(size), 'set')

        def send():
            try:
                self.guest.machine.command('uefi-vars-set', name=name,
                                           guid=VENDOR, data=data.hex())
            except Refused as error:
                return str(error)
            return None
        self.request(state, send, f'uefi-vars-set {name}')

    def burst(self, mebibytes, seed):
        """A guest that is so fast that no timer gets a turn"""
        self.shim.slow([], 0)
        self.shim.freeze()
        for i in range(mebibytes * 0x100000 // (2 * BURST_BYTES)):
            if self.guest.runs:
                self.write('Burst', BURST_BYTES, seed + i, 'set')
        self.shim.thaw()

    # ---------------------------------------------------------------------
    # Events: the disk and the file

    def fail(self, calls, error, passes, half):
        if self.drive:
            calls = ['pwrite']  # the file driver never gets over a flush
        self.shim.fail(calls, error, passes, half)
        self.faulty = True

    def repair(self):
        self.shim.repair()
        self.faulty = False

    def slow(self, milliseconds):
        self.shim.slow(WRITES, milliseconds / 1000)

    def die(self, number, moment):
        self.shim.die(number, moment)

    def rename(self):
        """The file under a running machine goes away for a while."""
        store = self.guest.store.path
        if not self.away and store.exists():
            store.rename(store.with_suffix('.aside'))
            self.away = True

    def back(self):
        if self.away:
            store = self.guest.store.path
            store.with_suffix('.aside').rename(store)
            self.away = False

    def replace(self, what):
        """By another file, under a target that waits and will have its own"""
        if not self.target or self.target.store is self.guest.store:
            return
        store = self.target.store
        if what == 'removed':
            store.path.unlink(missing_ok=True)
            store.must_be({})
        elif what == 'copied':
            self.other_file(store, 'Copy')

    @staticmethod
    def other_file(store, name):
        new = store.path.with_suffix('.new')
        new.write_text(json.dumps({'version': 2, 'variables': [
            {'name': name, 'guid': VENDOR, 'attr': NV_BS_RT,
             'data': '00'}]}))
        new.rename(store.path)
        store.must_be({name: b'\0'})

    # ---------------------------------------------------------------------
    # Events: the machine

    def stop(self):
        self.guest.machine.command('stop')
        self.guest.runs = False

    def cont(self):
        self.guest.machine.command('cont')
        guest = self.guest
        guest.runs = guest.has_run = guest.has_image = True

    def reset(self):
        self.guest.machine.events.clear()
        self.guest.machine.command('system_reset')
        self.guest.machine.wait_event('RESET')
        self.guest.machine.attach()

    def monitor(self, line):
        said = self.guest.machine.command('human-monitor-command',
                                          command_line=line)
        if 'Error' in said:
            raise Violation(f'{line}: {said.strip()}')

    def savevm(self, name):
        if not self.guest.has_image:
            return
        self.monitor(f'savevm {name}')
        self.snapshots[name] = dict(self.guest.state)

    def loadvm(self, name):
        guest = self.guest
        if name not in self.snapshots or not guest.has_image or \
                not guest.loads:
            return
        guest.store.may_be(self.snapshots[name])
        self.monitor(f'loadvm {name}')
        guest.state = dict(self.snapshots[name])
        guest.has_run = guest.runs

    def idle(self):
        self.pass_time(0.5, 8)

    def wait(self):
        """Long enough for a machine to get over what is over"""
        self.pass_time(RETRY_SECONDS / 4, 8)
        guest = self.guest
        if guest.has_run and self.saves():
            self.check_file(guest.store, guest.store.settled(guest.state),
                            PATIENCE_SECONDS)

    def saves(self):
        """Whether what is due is written without a request.  On the block
        layer nothing goes on beside a paused machine."""
        return not self.faulty and not self.away and \
            (self.guest.runs or not self.drive)

    def quit(self):
        """Orderly, and a new start"""
        guest = self.guest
        guest.machine.command('quit')
        status = guest.machine.process.wait(PATIENCE_SECONDS)
        if status == -signal.SIGKILL:
            raise Gone
        if status:
            raise Violation(f'quit with status {status}')
        if not guest.has_run or not self.saves():
            guest.store.may_be(guest.state)
        else:
            self.check_file(guest.store, guest.store.settled(guest.state))
        self.restart()

    def kill(self):
        self.restart()

    def chomp(self):
        """A copy through a shell or an editor: the last line feed is lost."""
        self.target = self.left = None
        self.close()
        self.back()
        path = self.guest.store.path
        if path.exists() and path.read_bytes().endswith(b'\n'):
            path.write_bytes(path.read_bytes()[:-1])
        self.restart()

    # ---------------------------------------------------------------------
    # Events: migration

    def await_target(self, own, held):
        """
        @own: it has a file of its own, with something 'old' or 'none'
        @held: it will be paused until it is told to run
        """
        self.leave('quit')
        self.back()
        if self.target:
            return
        store = self.guest.store
        if own and not self.drive:      # nodes are shared
            store = Store(self.disk / self.new_path('json').name)
            if own == 'old':
                self.other_file(store, 'Old')
        try:
            machine = self.start(store, '-incoming', 'defer',
                                 *(['-S'] if held else []))
        except RuntimeError:
            if not self.faulty:
                raise
            return
        self.target = Guest(machine, store, {}, runs=False)
        self.held = held

    def dismiss(self):
        """Whoever waits is not wanted."""
        if self.target:
            self.end(self.target.machine)
            self.target = None

    def leave(self, how):
        """What is left of the source of a migration ends."""
        if self.left:
            left, self.left = self.left, None
            if how == 'quit':
                left.machine.command('quit')
                left.machine.process.wait(PATIENCE_SECONDS)
            self.end(left.machine)
            if left.store is not self.guest.store:
                self.check_file(left.store)

    def take_back(self):
        """The target has not run, and the source goes on after all."""
        if self.left and not self.guest.has_run:
            self.dismiss()
            self.back()
            self.end(self.guest.machine)
            self.guest, self.left = self.left, None
            self.cont()

    def begin_migration(self):
        uri = f'unix:{self.new_path("socket")}'
        self.target.machine.command('migrate-incoming', uri=uri,
                                    exit_on_error=False)
        self.guest.machine.command('migrate', uri=uri)

    def wait_migration(self, machine, *states):
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            status = machine.command('query-migrate').get('status')
            if status in states:
                return status
            if time.monotonic() > until:
                raise Violation(f'the migration stays {status}')
            time.sleep(0.002)

    def migrate(self):
        self.await_target(None, False)
        if not self.target:
            return
        self.begin_migration()
        if self.wait_migration(self.guest.machine, 'completed',
                               'failed') == 'failed':
            raise Violation('the migration fails')
        self.arrive()

    def arrive(self):
        """The source has sent all, and the target is the machine."""
        source, target = self.guest, self.target
        if self.wait_migration(target.machine, 'completed',
                               'failed') == 'failed':
            raise Violation('the target refuses the migration')
        target.state = dict(source.state)
        target.store.may_be(source.state)
        target.runs = target.has_run = target.has_image = \
            source.runs and not self.held
        while target.machine.command('query-status')['status'] in (
                'inmigrate', 'restore-vm'):
            pass
        self.left = source
        self.guest, self.target = target, None

    def cancel(self, when, writes, seed):
        """A migration that is cancelled while it is active or later"""
        self.await_target(None, False)
        if not self.target:
            return
        machine = self.guest.machine
        late = when == 'pre-switchover'
        # A machine that is busy comes there by itself, and must not go on.
        self.set_migration(machine, True, 0 if late else 4096)
        machine.events.clear()
        self.begin_migration()
        self.wait_migration(machine, when, 'pre-switchover')
        for i in range(0 if late else writes):
            self.write(f'V{i}', 100, seed + i, 'set')
        machine.command('migrate_cancel')
        self.wait_migration(machine, 'cancelled')
        # A machine that was paused does not tell how far it came.
        if not self.guest.runs or any(event['event'] == 'STOP'
                                      for event in machine.events):
            self.guest.loads = False
        self.set_migration(machine, False, 0)
        self.dismiss()

    @staticmethod
    def set_migration(machine, pause, bandwidth):
        machine.command('migrate-set-capabilities', capabilities=[
            {'capability': 'pause-before-switchover', 'state': pause}])
        machine.command('migrate-set-parameters', **{
            'max_bandwidth': bandwidth or 1 << 30})

    def rival(self, writes, seed):
        """Of two machines with one state only one has the file.

        The state goes to a file, the source goes on all the same, and a
        second machine gets what the file says.
        """
        self.leave('quit')
        self.dismiss()
        source = self.guest
        if not source.runs or self.faulty or self.away:
            return
        stream = self.new_path('stream')
        source.machine.command('migrate', uri=f'file:{stream}')
        self.wait_migration(source.machine, 'completed')
        old, sent = dict(source.state), source.store.path.read_bytes()
        self.cont()
        machine = Machine(self.tools.emulator, source.store.path, self.size,
                          self.shim.env, ['-incoming', f'file:{stream}'])
        self.processes.append(machine)
        self.wait_migration(machine, 'completed')
        # a fold that went on meanwhile makes it an older file
        judged = source.store.path.read_bytes() == sent
        for i in range(writes):
            self.write(f'V{i}', 100, seed + i, 'set')
        self.quiet_write(machine, 'while the source has the file')
        moved = source.state != old
        source.machine.command('quit')
        source.machine.process.wait(PATIENCE_SECONDS)
        self.end(source.machine)
        self.pass_time(RETRY_SECONDS / 4, 8)
        if moved and judged:
            self.quiet_write(machine, 'although the file has moved on')
        else:
            source.store.may_be(old)
        self.restart()

    @staticmethod
    def quiet_write(machine, why):
        """One that must be refused"""
        status = machine.send(access(SET, 'Rival', b'1'))
        if status == SUCCESS:
            raise Violation(f'SetVariable succeeds {why}')

