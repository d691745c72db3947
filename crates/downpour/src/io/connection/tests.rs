//! A connection over a socket pair, whose other end is read and written by hand.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream as StdStream;

use mio::net::UnixStream;

use super::*;
use crate::io::sockets::SystemSocket;

const RESPONSE_MAX: usize = 1 << 20;

fn pair() -> (Connection<SystemSocket>, StdStream) {
    let (own, peer) = StdStream::pair().unwrap();
    own.set_nonblocking(true).unwrap();
    let socket = SystemSocket::Unix(UnixStream::from_std(own));
    (Connection::new(socket, RESPONSE_MAX), peer)
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = (body.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(body);
    frame
}

/// One turn of reading with a buffer of so many bytes: how it ended, and the whole frames.
fn read(connection: &mut Connection<SystemSocket>, buffer: usize) -> (Reading, Vec<Vec<u8>>) {
    let mut frames = Vec::new();
    let reading = connection.read(&mut vec![0; buffer], |reader| {
        while let Some(frame) = reader.next_frame()? {
            frames.push(frame.to_vec());
        }
        Ok(())
    });
    (reading, frames)
}

#[test]
fn a_write_goes_on_where_the_kernel_stopped_it() {
    let (mut connection, mut peer) = pair();
    let frames: Vec<Vec<u8>> = (0..9u8)
        .map(|n| (0..100_003 + usize::from(n)).map(|i| i as u8 ^ n).collect())
        .collect();
    for frame in &frames {
        connection.push(Frame::from_vec(frame.clone()));
    }
    let sent = frames.concat();
    let mut arrived = Vec::new();
    let mut rounds = 0;
    while connection.has_output() {
        rounds += 1;
        connection.handle_writable();
        connection.flush().unwrap();
        let total = connection.poll_written().expect("the kernel took some");
        assert_eq!(connection.poll_written(), None, "it is told once");
        let mut taken = vec![0; total as usize - arrived.len()];
        peer.read_exact(&mut taken).unwrap();
        arrived.append(&mut taken);
    }
    assert!(rounds > 1, "more than the kernel takes at once");
    assert_eq!(arrived.len(), sent.len());
    assert!(arrived == sent, "another order, or bytes twice");
}

#[test]
fn after_a_refusal_nothing_is_tried_until_the_kernel_says_so() {
    let (mut connection, mut peer) = pair();
    connection.push(Frame::from_vec(vec![7; 4 << 20]));
    connection.flush().unwrap();
    let before = connection.poll_written().unwrap();
    peer.read_exact(&mut vec![0; before as usize]).unwrap();
    connection.flush().unwrap();
    assert_eq!(connection.poll_written(), None, "there is room, untold");
    connection.handle_writable();
    connection.flush().unwrap();
    assert!(connection.poll_written().unwrap() > before);
}

#[test]
fn more_frames_than_one_write_takes_arrive_in_order() {
    let (mut connection, mut peer) = pair();
    let sent: Vec<u8> = (0..2 * SLICES_MAX as u32 + 7)
        .flat_map(u32::to_be_bytes)
        .collect();
    for frame in sent.chunks(4) {
        connection.push(Frame::from_vec(frame.to_vec()));
    }
    connection.push(Frame::from_vec(Vec::new()));
    connection.flush().unwrap();
    assert!(!connection.has_output());
    assert_eq!(connection.poll_written(), Some(sent.len() as u64));
    let mut arrived = vec![0; sent.len()];
    peer.read_exact(&mut arrived).unwrap();
    assert_eq!(arrived, sent);
}

#[test]
fn what_had_left_is_known_when_a_write_fails() {
    let (mut connection, peer) = pair();
    connection.push(Frame::from_vec(vec![1; 10]));
    connection.flush().unwrap();
    drop(peer);
    connection.push(Frame::from_vec(vec![2; 10]));
    assert!(connection.flush().is_err());
    assert_eq!(connection.poll_written(), Some(10));
}

#[test]
fn a_frame_is_told_once_it_is_whole_however_it_comes() {
    let (mut connection, mut peer) = pair();
    let bytes = [framed(b"first"), framed(b""), framed(b"second")].concat();
    let mut told = Vec::new();
    for byte in &bytes {
        peer.write_all(&[*byte]).unwrap();
        let (reading, mut frames) = read(&mut connection, 64);
        assert!(matches!(reading, Reading::Drained), "{reading:?}");
        told.append(&mut frames);
    }
    assert_eq!(told, [b"first".to_vec(), b"".to_vec(), b"second".to_vec()]);
}

#[test]
fn a_peer_that_says_much_leaves_others_their_turn() {
    let (mut connection, mut peer) = pair();
    let body: Vec<u8> = (0..20 * READS_MAX).map(|i| i as u8).collect();
    peer.write_all(&framed(&body)).unwrap();
    let (reading, frames) = read(&mut connection, 16);
    assert!(matches!(reading, Reading::More), "{reading:?}");
    assert!(frames.is_empty());
    let (reading, frames) = read(&mut connection, 16);
    assert!(matches!(reading, Reading::Drained), "{reading:?}");
    assert_eq!(frames, [body]);
}

#[test]
fn a_read_that_fills_its_buffer_exactly_is_followed_by_another() {
    let (mut connection, mut peer) = pair();
    let bytes = framed(b"0123456789ab");
    peer.write_all(&bytes).unwrap();
    drop(peer);
    let (reading, frames) = read(&mut connection, bytes.len());
    assert!(matches!(reading, Reading::Ended), "{reading:?}");
    assert_eq!(frames, [b"0123456789ab"]);
}

/// The selector announces an end once, and it may do so together with the last data.
/// A socket that has its next event only from a read that would block.
#[derive(Debug)]
struct Unarmed(SystemSocket, bool);

impl Socket for Unarmed {
    const SHORT_READ_ARMS: bool = false;

    fn is_open(&self) -> io::Result<bool> {
        self.0.is_open()
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer);
        let would_block = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
        self.1 = read.as_ref().is_err_and(would_block);
        read
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
    }
}

#[test]
fn where_a_short_read_arms_nothing_reading_goes_on_until_it_would_block() {
    let (connection, mut peer) = pair();
    let mut connection = Connection::new(Unarmed(connection.socket, false), 1 << 20);
    peer.write_all(&framed(b"one")).unwrap();
    let reading = connection.read(&mut [0; 1000], |reader| {
        while reader.next_frame()?.is_some() {}
        Ok(())
    });
    assert!(matches!(reading, Reading::Drained), "{reading:?}");
    assert!(connection.socket.1, "it would have no other event");
}

#[test]
fn an_end_that_was_announced_with_data_is_seen_behind_it() {
    let (mut connection, mut peer) = pair();
    peer.write_all(&framed(b"last")).unwrap();
    drop(peer);
    connection.handle_ending();
    let (reading, frames) = read(&mut connection, 1024);
    assert!(matches!(reading, Reading::Ended), "{reading:?}");
    assert_eq!(frames, [b"last"]);
}

#[test]
fn an_end_in_the_middle_of_a_frame_tells_no_frame() {
    let (mut connection, mut peer) = pair();
    let frame = framed(b"never whole");
    peer.write_all(&frame[..frame.len() - 1]).unwrap();
    let (reading, frames) = read(&mut connection, 1024);
    assert!(matches!(reading, Reading::Drained), "{reading:?}");
    assert!(frames.is_empty());
    drop(peer);
    connection.handle_ending();
    let (reading, frames) = read(&mut connection, 1024);
    assert!(matches!(reading, Reading::Ended), "{reading:?}");
    assert!(frames.is_empty());
}

/// Wherever the peer stops, whole frames are told and the rest is not.
#[test]
fn an_answer_that_is_cut_anywhere_tells_what_is_whole() {
    let frames = [b"first".to_vec(), Vec::new(), b"second".to_vec()];
    let bytes: Vec<u8> = frames.iter().flat_map(|frame| framed(frame)).collect();
    let ends = [9, 13, 23];
    for cut in 0..=bytes.len() {
        for buffer in [1, 4, 64] {
            let (mut connection, mut peer) = pair();
            peer.write_all(&bytes[..cut]).unwrap();
            drop(peer);
            connection.handle_ending();
            let mut told = Vec::new();
            let ended = loop {
                let (reading, mut frames) = read(&mut connection, buffer);
                told.append(&mut frames);
                if !matches!(reading, Reading::More) {
                    break reading;
                }
            };
            assert!(matches!(ended, Reading::Ended), "{cut}: {ended:?}");
            let whole = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(told, frames[..whole], "cut after {cut} bytes");
        }
    }
}

/// A peer that will send no more may still read: its end is told, and what is to be written goes on.
#[test]
fn a_peer_that_only_stops_sending_still_gets_what_is_written() {
    let (mut connection, mut peer) = pair();
    peer.write_all(&framed(b"last")).unwrap();
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    connection.push(Frame::from_vec(vec![7; 1000]));
    connection.handle_ending();
    let (reading, frames) = read(&mut connection, 1024);
    assert!(matches!(reading, Reading::Ended), "{reading:?}");
    assert_eq!(frames, [b"last"]);
    connection.flush().unwrap();
    let mut arrived = vec![0; 1000];
    peer.read_exact(&mut arrived).unwrap();
    assert_eq!(arrived, vec![7; 1000]);
}

/// A peer that ends with bytes unread resets the stream. What it had sent before that is lost or is
/// read first, as the system has it, and no part of a frame is told.
#[test]
fn a_reset_breaks_the_connection_and_tells_no_part_of_a_frame() {
    let (mut connection, mut peer) = pair();
    connection.push(Frame::from_vec(vec![1; 10]));
    connection.flush().unwrap();
    peer.write_all(&framed(b"cut")[..5]).unwrap();
    drop(peer);
    connection.handle_ending();
    let (reading, frames) = read(&mut connection, 1024);
    assert!(
        matches!(reading, Reading::Failed(_) | Reading::Ended),
        "{reading:?}"
    );
    assert!(frames.is_empty());
    connection.push(Frame::from_vec(vec![2; 10]));
    assert!(connection.flush().is_err());
    assert_eq!(connection.poll_written(), Some(10));
}

#[test]
fn a_frame_that_claims_too_much_breaks_the_connection() {
    let (mut connection, mut peer) = pair();
    let claim = (RESPONSE_MAX as u32 + 1).to_be_bytes();
    peer.write_all(&claim).unwrap();
    let (reading, _) = read(&mut connection, 1024);
    assert!(matches!(reading, Reading::Garbled(_)), "{reading:?}");
}
