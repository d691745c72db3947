//! Nobody sleeps on unread mail: callers that post in every way, against the I/O thread.

use std::io;
use std::sync::Arc;

use downpour_core::ids::PartitionId;

use super::explore::{OFTEN, explore};
use crate::shared::mailbox::{Command, Mail, Mailbox};
use crate::sys::lock::lock;
use crate::sys::sync::{Mutex, thread};

/// What is posted in all.
const POSTED: usize = 4;

/// What rounds have taken, as the driver does under its lock.
#[derive(Default)]
struct Rounds {
    mail: Mail,
    taken: usize,
    closing: bool,
}

struct World {
    mailbox: Mailbox,
    driver: Mutex<Rounds>,
    /// Where the pool leaves what is no mail.
    elsewhere: Mutex<usize>,
}

impl World {
    fn round(&self, rounds: &mut Rounds) {
        self.mailbox.take(&mut rounds.mail);
        rounds.taken += rounds.mail.dirty.drain(..).count();
        rounds.closing |= rounds.mail.commands.drain(..).count() > 0;
        rounds.taken += std::mem::take(&mut *lock(&self.elsewhere));
    }

    /// The I/O thread, to the end. If it is not woken for something, nobody can go on.
    fn run(&self) {
        loop {
            let sleeps = {
                let mut rounds = lock(&self.driver);
                self.round(&mut rounds);
                if rounds.closing && rounds.taken == POSTED {
                    return;
                }
                self.mailbox.may_sleep()
            };
            if sleeps {
                thread::park();
            }
            self.mailbox.note_awake();
        }
    }

    /// A caller that opened a batch: it runs a round if the I/O thread sleeps.
    fn open(&self, partition: PartitionId) {
        if !self.mailbox.post_silently(partition) {
            return;
        }
        let ran = match self.driver.try_lock() {
            Ok(mut rounds) => {
                self.round(&mut rounds);
                // Only the I/O thread ends a producer.
                !rounds.closing
            }
            Err(_) => false,
        };
        if !ran {
            self.mailbox.unpark();
        }
    }
}

fn partition(index: i32) -> PartitionId {
    PartitionId { topic: 0, index }
}

#[test]
fn nobody_sleeps_on_unread_mail() {
    explore(OFTEN, || {
        let world = Arc::new(World {
            mailbox: Mailbox::new(),
            driver: Mutex::default(),
            elsewhere: Mutex::default(),
        });
        // The waker is named before there is a thread, so the thread comes to it later.
        let sleeper: Arc<Mutex<Option<thread::Thread>>> = Arc::default();
        let own = sleeper.clone();
        world.mailbox.set_waker(Box::new(move || {
            let sleeper = lock(&own).clone();
            sleeper
                .ok_or_else(|| io::Error::other("nobody slept"))?
                .unpark();
            Ok(())
        }));
        let here = world.clone();
        let io = thread::spawn(move || {
            *lock(&sleeper) = Some(thread::current());
            here.run();
        });
        let callers: [fn(&World); 5] = [
            |world| world.open(partition(0)),
            |world| world.open(partition(1)),
            |world| world.mailbox.post(partition(2)),
            |world| {
                *lock(&world.elsewhere) += 1;
                world.mailbox.wake();
            },
            |world| world.mailbox.command(Command::Detach),
        ];
        let callers = callers.map(|call| {
            let world = world.clone();
            thread::spawn(move || call(&world))
        });
        callers
            .into_iter()
            .for_each(|caller| caller.join().unwrap());
        io.join().unwrap();
        assert_eq!(lock(&world.driver).taken, POSTED);
    });
}
