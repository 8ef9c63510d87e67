# ruff: noqa: E501 - a program reads better unbroken
"""Programs that look for a word wherever they can: in their own memory, descriptors, files and processes.

The word they look for is put together when they run, so that their source does not have it; so is one that
they keep themselves, to show that the search finds what is there.
"""

from __future__ import annotations

#: The word, and what is put between its halves.
WORD = "hidden-canary-word"
OWN = "planted-canary-word"

_PYTHON = r"""
def _scan(word):
    import ctypes, os, re
    word, places = word.encode(), set()
    libc = ctypes.CDLL(None)
    libc.pwrite.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long]
    # A write says how much can be read, where a read of /proc/self/mem is not allowed.
    kept = os.open('/tmp/kept', os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.unlink('/tmp/kept')
    for line in list(open('/proc/self/maps')):
        fields = line.split()
        if 'r' not in fields[1] or fields[-1] in ('[vvar]', '[vsyscall]', '[vvar_vclock]'):
            continue
        start, end = (int(part, 16) for part in fields[0].split('-'))
        for place in range(start, end, 1 << 22):
            size = libc.pwrite(kept, place, min((1 << 22) + 64, end - place), 0)
            held = os.pread(kept, max(0, size), 0)
            # The word itself is in this process, as what it looks for; others have more after it.
            if re.search(re.escape(word) + b'-[0-9]', held):
                places.add('memory')
    os.close(kept)
    for root in ('/proc/self/fd', '/tmp', '/flextune'):
        for folder, _, names in os.walk(root):
            for name in names:
                try:
                    number = os.open(f'{folder}/{name}', os.O_RDONLY | os.O_NONBLOCK)
                    held = os.read(number, 1 << 22)
                    os.close(number)
                except OSError:
                    continue
                if re.search(re.escape(word) + b'-[0-9]', held):
                    places.add('files')
    for name in filter(str.isdigit, os.listdir('/proc')):
        for what in ('cmdline', 'environ', 'mem', 'maps'):
            try:
                with open(f'/proc/{name}/{what}', 'rb') as file:
                    held = file.read(1 << 20)
            except OSError:
                continue
            if re.search(re.escape(word) + b'-[0-9]', held):
                places.add('processes')
    return sorted(places)
"""

_JAVASCRIPT = r"""
function _scan(word) {
    const fs = require('fs'), places = new Set();
    const pattern = new RegExp(word + '-[0-9]');
    const look = (held, place) => { if (pattern.test(held.toString('latin1'))) places.add(place); };
    const memory = fs.openSync('/proc/self/mem', 'r'), piece = Buffer.alloc(1 << 22);
    for (const line of fs.readFileSync('/proc/self/maps', 'latin1').split('\n')) {
        const fields = line.split(/\s+/);
        if (fields.length < 2 || !fields[1].includes('rw') || line.includes('[v')) continue;
        const [start, end] = fields[0].split('-').map((part) => parseInt(part, 16));
        for (let place = start; place < end; place += piece.length) {
            try {
                const size = fs.readSync(memory, piece, 0, Math.min(piece.length, end - place), place);
                // Not the buffer in which this very search reads.
                const held = Buffer.from(piece.subarray(0, size));
                piece.fill(0);
                look(held, 'memory');
                held.fill(0);
            } catch { }
        }
    }
    for (const folder of ['/proc/self/fd', '/tmp', '/flextune/program'])
        for (const name of fs.readdirSync(folder))
            try {
                const number = fs.openSync(`${folder}/${name}`, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
                const held = Buffer.alloc(1 << 20), size = fs.readSync(number, held);
                look(held.subarray(0, size), 'files');
                held.fill(0);
                fs.closeSync(number);
            } catch { }
    for (const name of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
        for (const what of ['cmdline', 'environ'])
            try { look(fs.readFileSync(`/proc/${name}/${what}`), 'processes'); } catch { }
    return [...places].sort();
}
"""

#: Language to a function ``_scan(word)`` that says in which places ``word`` and a number after it are found.
SCANNERS = {"py": _PYTHON, "js": _JAVASCRIPT}
