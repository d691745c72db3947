//! Loaded into a peer by `LD_PRELOAD`: counts its allocations and its write calls, and at its end
//! adds a line with both to the file that `BENCH_COUNTS` names. Linux with glibc only.
//!
//! What does not go through libc is not seen: a runtime's own heap, a program without libc.
#![allow(
    unsafe_code,
    reason = "functions of libc are replaced; each does nothing but count and pass on"
)]
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::ffi::{c_int, c_void};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use libc::{iovec, msghdr, size_t, sockaddr, socklen_t, ssize_t};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static WRITES: AtomicU64 = AtomicU64::new(0);

/// glibc's own names of its allocator. To look the usual ones up would allocate.
mod real {
    use super::{c_void, size_t};

    unsafe extern "C" {
        #[link_name = "__libc_malloc"]
        pub(super) fn malloc(size: size_t) -> *mut c_void;
        #[link_name = "__libc_calloc"]
        pub(super) fn calloc(count: size_t, size: size_t) -> *mut c_void;
        #[link_name = "__libc_realloc"]
        pub(super) fn realloc(old: *mut c_void, size: size_t) -> *mut c_void;
        #[link_name = "__libc_memalign"]
        pub(super) fn memalign(align: size_t, size: size_t) -> *mut c_void;
    }
}

/// Functions that count and pass their arguments on.
macro_rules! counted {
    ($($counter:ident: fn $name:ident($($arg:ident: $type:ty),*) -> $result:ty = $pass:expr;)*) => {$(
        /// Counts, then does what libc's does.
        ///
        /// # Safety
        /// As libc's.
        // SAFETY: it has libc's name and signature, so that it may stand in its place.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($arg: $type),*) -> $result {
            $counter.fetch_add(1, Relaxed);
            // SAFETY: the arguments are the caller's, who keeps libc's contract for them.
            (unsafe { $pass }) as $result
        }
    )*};
}

counted! {
    ALLOCATIONS: fn malloc(size: size_t) -> *mut c_void = real::malloc(size);
    ALLOCATIONS: fn calloc(count: size_t, size: size_t) -> *mut c_void = real::calloc(count, size);
    ALLOCATIONS: fn realloc(old: *mut c_void, size: size_t) -> *mut c_void = real::realloc(old, size);
    ALLOCATIONS: fn memalign(align: size_t, size: size_t) -> *mut c_void = real::memalign(align, size);
    ALLOCATIONS: fn aligned_alloc(align: size_t, size: size_t) -> *mut c_void = real::memalign(align, size);
    ALLOCATIONS: fn posix_memalign(out: *mut *mut c_void, align: size_t, size: size_t) -> c_int = {
        let memory = real::memalign(align, size);
        if memory.is_null() {
            libc::ENOMEM
        } else {
            *out = memory;
            0
        }
    };
    // Writes are made as system calls: there are no other names of libc's for all of them.
    WRITES: fn write(fd: c_int, bytes: *const c_void, len: size_t) -> ssize_t =
        libc::syscall(libc::SYS_write, fd, bytes, len);
    WRITES: fn writev(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t =
        libc::syscall(libc::SYS_writev, fd, parts, count);
    WRITES: fn send(fd: c_int, bytes: *const c_void, len: size_t, flags: c_int) -> ssize_t =
        libc::syscall(libc::SYS_sendto, fd, bytes, len, flags, std::ptr::null::<sockaddr>(), 0);
    WRITES: fn sendto(
        fd: c_int, bytes: *const c_void, len: size_t, flags: c_int, to: *const sockaddr, to_len: socklen_t
    ) -> ssize_t = libc::syscall(libc::SYS_sendto, fd, bytes, len, flags, to, to_len);
    WRITES: fn sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t =
        libc::syscall(libc::SYS_sendmsg, fd, message, flags);
}

/// Called by the loader when the process exits.
extern "C" fn tell() {
    let (allocations, writes) = (ALLOCATIONS.load(Relaxed), WRITES.load(Relaxed));
    let Some(path) = std::env::var_os("BENCH_COUNTS") else {
        return;
    };
    // Added, because a peer may be several processes. Without a file the runner says so.
    if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path) {
        let _ = file.write_all(format!("{allocations} {writes}\n").as_bytes());
    }
}

// SAFETY: the loader calls what is in this section once, as a function without arguments.
#[unsafe(link_section = ".fini_array")]
#[used]
static AT_EXIT: extern "C" fn() = tell;

#[cfg(test)]
mod tests {
    use super::*;

    /// The functions above are this program's own, as they are a peer's.
    fn counted(work: impl FnOnce()) -> (u64, u64) {
        let before = (ALLOCATIONS.load(Relaxed), WRITES.load(Relaxed));
        work();
        let after = (ALLOCATIONS.load(Relaxed), WRITES.load(Relaxed));
        (after.0 - before.0, after.1 - before.1)
    }

    #[test]
    fn allocations_and_writes_are_counted_and_done() {
        let (mut output, input) = std::os::unix::net::UnixStream::pair().unwrap();
        // At least, for the harness has threads of its own.
        let (allocations, writes) = counted(|| {
            for number in 0..1000_usize {
                let mut kept = std::hint::black_box(Vec::with_capacity(16 + number));
                kept.resize(16 + number * 2, 7_u8);
                assert!(kept.iter().all(|&byte| byte == 7));
            }
            output.write_all(b"ten bytes.").unwrap();
        });
        assert!(allocations >= 1990 && writes >= 1, "{allocations} {writes}");
        let mut read = [0; 10];
        std::io::Read::read_exact(&mut &input, &mut read).unwrap();
        assert_eq!(&read, b"ten bytes.");
    }

    #[test]
    fn an_alignment_is_kept() {
        let layout = std::alloc::Layout::from_size_align(100, 4096).unwrap();
        // SAFETY: the layout has a size, and what is allocated is freed with the same layout.
        let place = unsafe {
            let memory = std::alloc::alloc(layout);
            std::alloc::dealloc(memory, layout);
            memory
        };
        assert!(!place.is_null() && place as usize % 4096 == 0);
    }
}
