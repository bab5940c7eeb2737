"""Double SHA-256 and merkle trees for machine code: numba functions on top of the system's OpenSSL.

OpenSSL uses the processor's SHA instructions, where it has any. The one-shot `SHA256()` of OpenSSL 3 looks its
algorithm up at every call; the low-level functions go straight to work, so those are used. Where there is no
libcrypto the compression function here does the same, some four times slower.

The numba functions take memory as addresses, because arrays that are handed from one function to the next cost
numba two atomic operations each. None of them tests a bound: that is up to the caller.
"""

# mypy: untyped-calls-exclude=numba

from __future__ import annotations

import ctypes
import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.base import BaseContext
from numba.core.typing.templates import Signature
from numba.extending import intrinsic
from numpy.typing import NDArray

from utxoracle_core.hashes import HASH_BYTES

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Item = TypeVar("_Item")
_Emitted = tuple[Signature, Callable[..., ir.Value]]

_PART_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    # only called from machine code
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}

_BLOCK_BYTES = 64
_BLOCK_WORDS = 16
_HASH_WORDS = 8
_SCHEDULE_WORDS = 64
_CONTEXT_WORDS = 28
"""32-bit words of `SHA256_CTX` (openssl/sha.h): the state h[8], Nl, Nh, data[16], num, md_len."""

# The working memory, as offsets in bytes: the context, room for a message schedule, the digest that is hashed a second
# time, two nodes of a merkle tree side by side, the message. Each of the last three with its padding.
_SCHEDULE_AT = 4 * _CONTEXT_WORDS
_DIGEST_AT = _SCHEDULE_AT + 4 * _SCHEDULE_WORDS
_PAIR_AT = _DIGEST_AT + _BLOCK_BYTES
MESSAGE_AT = _PAIR_AT + 2 * _BLOCK_BYTES
"""Where in the working memory the bytes stand that `hash_message` hashes."""

# FIPS 180-4, section 5.3.3
_INITIAL_STATE: NDArray[np.uint32] = np.array(
    [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19], np.uint32
)

# fmt: off
# FIPS 180-4, section 4.2.2
_ROUND_CONSTANTS: NDArray[np.uint32] = np.array([
    0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
    0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
    0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
    0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
    0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
    0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
    0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
    0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
], np.uint32)
# fmt: on

# Never an unversioned name: macOS kills a process that opens its own libcrypto so.
_LIBRARIES = {
    "linux": ("libcrypto.so.3", "libcrypto.so.1.1"),
    "darwin": (
        "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
        "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
        "/opt/local/lib/libcrypto.3.dylib",
    ),
    "win32": ("libcrypto-3-x64.dll", "libcrypto-3.dll", "libcrypto-3-arm64.dll", "libcrypto-1_1.dll"),
}


class Pointer(Protocol[_Item]):
    """Items in memory from an address on, for machine code. Nothing guards its end."""

    def __getitem__(self, index: int, /) -> _Item: ...
    def __setitem__(self, index: int, value: _Item | int, /) -> None: ...


class Hashing(NamedTuple):
    """What the functions here need for their work, for one thread at a time."""

    update: int
    """Result of `sha256_update_address`, or 0 to do without OpenSSL."""
    memory: int
    """Address of a `working_memory`."""


@functools.cache
def sha256_update_address() -> int:
    """The address of a `SHA256_Update` that was seen to work in this process; 0 when there is none.

    Its C type is `int (SHA256_CTX *context, const void *data, size_t bytes)`. Called with `num = 0` and a
    multiple of 64 bytes it only applies the compression function of FIPS 180-4 to the state, block by block.
    """
    for name in _candidates():
        try:
            address = ctypes.cast(ctypes.CDLL(name).SHA256_Update, ctypes.c_void_p).value
        except (OSError, AttributeError):
            continue
        if address and _works(address):
            return address
    return 0


def _candidates() -> list[str]:
    """Libraries to ask, best first.

    Looking a symbol up in an extension module finds it in the libraries that the module is linked to, so
    `_hashlib` leads to the libcrypto that this interpreter already uses, whatever its name. An interpreter with
    OpenSSL built in has no such file.
    """
    try:
        own = getattr(importlib.import_module("_hashlib"), "__file__", None)
    except ImportError:
        own = None
    return [*([own] if own else []), *_LIBRARIES.get(sys.platform, ())]


def _works(address: int) -> bool:
    """Whether the function there hashes one and two padded blocks to the digests that `hashlib` gives."""
    function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)(address)
    for size in (3, 100):
        message = bytes(range(size))
        padded = message + b"\x80" + bytes(-(size + 9) % _BLOCK_BYTES) + (8 * size).to_bytes(8, "big")
        # room behind the structure, should another library's be longer
        context = np.zeros(2 * _CONTEXT_WORDS, np.uint32)
        context[:_HASH_WORDS] = _INITIAL_STATE
        function(context.ctypes.data, padded, len(padded))
        if context[:_HASH_WORDS].astype(">u4").tobytes() != sha256(message).digest():
            return False
    return True


def working_memory(largest_message_bytes: int) -> NDArray[np.uint8]:
    """Memory for `Hashing`, for messages of up to that size."""
    memory = np.zeros(MESSAGE_AT + largest_message_bytes + 2 * _BLOCK_BYTES, np.uint8)
    for at, message_bytes in ((_DIGEST_AT, HASH_BYTES), (_PAIR_AT, 2 * HASH_BYTES)):
        end = at + message_bytes + -(message_bytes + 9) % _BLOCK_BYTES + 9
        memory[at + message_bytes] = 0x80
        memory[end - 2 : end] = divmod(8 * message_bytes, 256)
    return memory


def compiled_part(function: _Function) -> _Function:
    """Let numba compile `function` into the machine code of whoever calls it."""
    compiled: _Function = numba.njit(**_PART_OPTIONS)(function)
    return compiled


def _pointer_to(item: types.Type) -> Callable[[types.Type, types.Type], _Emitted]:
    """What numba needs to take an address for a pointer to items."""

    def emit(_typing: types.Type, _address: types.Type) -> _Emitted:
        def generate(
            context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Sequence[ir.Value]
        ) -> ir.Value:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(item)(types.intp), generate

    return emit


def _emit_copy(_typing: types.Type, _to: types.Type, _start: types.Type, _n_bytes: types.Type) -> _Emitted:
    """What numba needs to copy bytes the way C does."""

    def generate(
        context: BaseContext, builder: ir.IRBuilder, _signature: Signature, arguments: Sequence[ir.Value]
    ) -> ir.Value:
        byte = ir.IntType(8).as_pointer()
        to, start = (builder.inttoptr(address, byte) for address in arguments[:2])
        cgutils.raw_memcpy(builder, to, start, arguments[2], 1)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), generate


def _emit_update(
    _typing: types.Type, _update: types.Type, _context: types.Type, _data: types.Type, _n_bytes: types.Type
) -> _Emitted:
    """What numba needs to call the `SHA256_Update` at an address.

    The address is only known when the machine code runs. So no symbol is left for a linker to find, and the machine
    code can be kept on disk and run where there is no libcrypto.
    """

    def generate(
        context: BaseContext, builder: ir.IRBuilder, _signature: Signature, arguments: Sequence[ir.Value]
    ) -> ir.Value:
        word = context.get_value_type(types.intp)
        update = ir.FunctionType(ir.IntType(32), [word, word, word])
        builder.call(builder.inttoptr(arguments[0], update.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp, types.intp), generate


bytes_at = cast("Callable[[int], Pointer[int]]", intrinsic(_pointer_to(types.uint8)))
words_at = cast("Callable[[int], Pointer[np.uint32]]", intrinsic(_pointer_to(types.uint32)))
int32s_at = cast("Callable[[int], Pointer[int]]", intrinsic(_pointer_to(types.int32)))
int64s_at = cast("Callable[[int], Pointer[int]]", intrinsic(_pointer_to(types.int64)))

copy = cast("Callable[[int, int, int], None]", intrinsic(_emit_copy))
"""`copy(to, start, n_bytes)`: from one address to another; they must not overlap."""

_call_update = cast("Callable[[int, int, int, int], None]", intrinsic(_emit_update))


@compiled_part
def _swap(word: np.uint32) -> np.uint32:
    """A word with its bytes in the other order."""
    return np.uint32((word >> 24) | ((word >> 8) & 0xFF00) | ((word << 8) & 0xFF0000) | (word << 24))


@compiled_part
def _rotate(word: np.uint32, bits: int) -> np.uint32:
    """A word, rotated right."""
    return np.uint32((word >> bits) | (word << (32 - bits)))


@compiled_part
def _compress_block(memory: int, data: int) -> None:
    """The compression function for the 64 bytes at `data`; FIPS 180-4, section 6.2.2."""
    state, w, words = words_at(memory), words_at(memory + _SCHEDULE_AT), words_at(data)
    for t in range(_BLOCK_WORDS):
        w[t] = _swap(words[t])
    for t in range(_BLOCK_WORDS, _SCHEDULE_WORDS):
        x, y = w[t - 15], w[t - 2]
        sigma0 = _rotate(x, 7) ^ _rotate(x, 18) ^ (x >> 3)
        sigma1 = _rotate(y, 17) ^ _rotate(y, 19) ^ (y >> 10)
        w[t] = np.uint32(sigma1 + w[t - 7] + sigma0 + w[t - 16])
    a, b, c, d, e, f, g, h = state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]
    for t in range(_SCHEDULE_WORDS):
        choice = (e & f) ^ (~e & g)
        majority = (a & b) ^ (a & c) ^ (b & c)
        t1 = h + (_rotate(e, 6) ^ _rotate(e, 11) ^ _rotate(e, 25)) + choice + _ROUND_CONSTANTS[t] + w[t]
        t2 = (_rotate(a, 2) ^ _rotate(a, 13) ^ _rotate(a, 22)) + majority
        h, g, f, e = g, f, e, np.uint32(d + t1)
        d, c, b, a = c, b, a, np.uint32(t1 + t2)
    state[0] = np.uint32(state[0] + a)
    state[1] = np.uint32(state[1] + b)
    state[2] = np.uint32(state[2] + c)
    state[3] = np.uint32(state[3] + d)
    state[4] = np.uint32(state[4] + e)
    state[5] = np.uint32(state[5] + f)
    state[6] = np.uint32(state[6] + g)
    state[7] = np.uint32(state[7] + h)


@compiled_part
def _compress(hashing: Hashing, data: int, n_blocks: int) -> None:
    """Take `n_blocks` blocks into the state."""
    if hashing.update != 0:
        _call_update(hashing.update, hashing.memory, data, _BLOCK_BYTES * n_blocks)
    else:
        for block in range(n_blocks):
            _compress_block(hashing.memory, data + _BLOCK_BYTES * block)


@compiled_part
def _double_hash(hashing: Hashing, data: int, n_blocks: int, target: int) -> None:
    """Write the double SHA-256 of the padded message at `data` to the 32 bytes at `target`."""
    digest_at = hashing.memory + _DIGEST_AT
    state, digest, result = words_at(hashing.memory), words_at(digest_at), words_at(target)
    for i in range(_HASH_WORDS):
        state[i] = _INITIAL_STATE[i]
    _compress(hashing, data, n_blocks)
    for i in range(_HASH_WORDS):
        digest[i] = _swap(state[i])
        state[i] = _INITIAL_STATE[i]
    _compress(hashing, digest_at, 1)
    for i in range(_HASH_WORDS):
        result[i] = _swap(state[i])


@compiled_part
def hash_message(hashing: Hashing, n_bytes: int, target: int) -> None:
    """Pad the message in the working memory and write its double SHA-256 to the 32 bytes at `target`."""
    message_at = hashing.memory + MESSAGE_AT
    message = bytes_at(message_at)
    n_blocks = (n_bytes + 9 + _BLOCK_BYTES - 1) // _BLOCK_BYTES
    end = _BLOCK_BYTES * n_blocks
    message[n_bytes] = 0x80
    for i in range(n_bytes + 1, end - 4):
        message[i] = 0
    # in bits, FIPS 180-4, section 5.1.1; a block stays far below 2^32
    words_at(message_at)[_BLOCK_WORDS * n_blocks - 1] = _swap(np.uint32(8 * n_bytes))
    _double_hash(hashing, message_at, n_blocks, target)


@compiled_part
def fold_merkle_tree(hashing: Hashing, nodes: int, n_nodes: int) -> bool:
    """Fold the 32-byte nodes at address `nodes`, in place, until the merkle root is the first.

    There has to be room for one node more. True when a pair was equal, other than a doubled last node
    (CVE-2012-2459).
    """
    words, pair_at = words_at(nodes), hashing.memory + _PAIR_AT
    mutated = False
    while n_nodes > 1:
        for left in range(0, _HASH_WORDS * (n_nodes - 1), _BLOCK_WORDS):
            difference = np.uint32(0)
            for i in range(left, left + _HASH_WORDS):
                difference |= words[i] ^ words[i + _HASH_WORDS]
            mutated = mutated or difference == 0
        if n_nodes % 2:
            copy(nodes + HASH_BYTES * n_nodes, nodes + HASH_BYTES * (n_nodes - 1), HASH_BYTES)
            n_nodes += 1
        n_nodes //= 2
        for row in range(n_nodes):
            copy(pair_at, nodes + 2 * HASH_BYTES * row, 2 * HASH_BYTES)
            _double_hash(hashing, pair_at, 2, nodes + HASH_BYTES * row)
    return mutated
