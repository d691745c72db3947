//! Reading and writing what may be in non-blocking mode, which this process shares with others and
//! must not change: a pipe that a Node or Python parent made, or a terminal.

use std::io::{self, Read, Write};

/// Waits where the operating system says that it would have to.
#[derive(Debug)]
pub(crate) struct Patient<T>(pub(crate) T);

#[cfg(unix)]
mod wait {
    use std::io;
    use std::os::fd::AsFd;

    use nix::errno::Errno;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    /// What can be waited for.
    pub(crate) trait Handle: AsFd {}
    impl<T: AsFd> Handle for T {}

    pub(super) fn readable(handle: &impl Handle) -> io::Result<()> {
        wait(handle, PollFlags::POLLIN)
    }

    pub(super) fn writable(handle: &impl Handle) -> io::Result<()> {
        wait(handle, PollFlags::POLLOUT)
    }

    /// Returns once nobody is left who could read what is written; never if it is a file.
    pub(super) fn closed(handle: &impl Handle) -> io::Result<()> {
        wait(handle, PollFlags::empty())
    }

    fn wait(handle: &impl Handle, flags: PollFlags) -> io::Result<()> {
        let mut fds = [PollFd::new(handle.as_fd(), flags)];
        loop {
            match poll(&mut fds, PollTimeout::NONE) {
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Ok(()),
            }
        }
    }
}

#[cfg(not(unix))]
mod wait {
    use std::io;

    /// Nothing is non-blocking there.
    pub(crate) trait Handle {}
    impl<T> Handle for T {}

    pub(super) fn readable(_: &impl Handle) -> io::Result<()> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    pub(super) fn writable(_: &impl Handle) -> io::Result<()> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    pub(super) fn closed(_: &impl Handle) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

pub(crate) use wait::Handle;

impl<T: Read + Handle> Read for Patient<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait::readable(&self.0)?;
                }
                read => return read,
            }
        }
    }
}

impl<T: Write + Handle> Write for Patient<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait::writable(&self.0)?;
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        loop {
            match self.0.flush() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait::writable(&self.0)?;
                }
                flushed => return flushed,
            }
        }
    }
}

/// Standard output.
pub(crate) fn output() -> Patient<io::Stdout> {
    Patient(io::stdout())
}

/// Returns once nobody can read standard output any more; an error if that cannot be known.
pub(crate) fn wait_until_output_is_closed() -> io::Result<()> {
    wait::closed(&io::stdout())
}
