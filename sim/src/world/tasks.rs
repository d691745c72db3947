//! Callers of the producer as tasks of one thread, polled when they were woken.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// A caller.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Names a task.
pub(crate) type TaskId = usize;

/// Tasks that were woken and not scheduled yet.
type Woken = Arc<Mutex<Vec<TaskId>>>;

struct TaskWaker {
    id: TaskId,
    woken: Woken,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        woken.push(self.id);
    }
}

/// All tasks.
#[derive(Default)]
pub(crate) struct Tasks {
    tasks: Vec<Option<Task>>,
    woken: Woken,
}

impl std::fmt::Debug for Tasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tasks").finish_non_exhaustive()
    }
}

impl Tasks {
    /// Adds one that is to be polled for the first time.
    pub(crate) fn add(&mut self, task: Task) -> TaskId {
        self.tasks.push(Some(task));
        self.tasks.len() - 1
    }

    /// Lets a task go on. False if it had ended before.
    pub(crate) fn poll(&mut self, id: TaskId) -> bool {
        let Some(mut task) = self.tasks.get_mut(id).and_then(Option::take) else {
            return false;
        };
        let waker = Waker::from(Arc::new(TaskWaker {
            id,
            woken: self.woken.clone(),
        }));
        if task
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            self.tasks[id] = Some(task);
        }
        true
    }

    /// Drops a task where it is.
    pub(crate) fn cancel(&mut self, id: TaskId) {
        if let Some(place) = self.tasks.get_mut(id) {
            *place = None;
        }
    }

    pub(crate) fn is_over(&self, id: TaskId) -> bool {
        self.tasks.get(id).is_none_or(Option::is_none)
    }

    pub(crate) fn take_woken(&self) -> Vec<TaskId> {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut woken)
    }

    /// Ends all of them.
    pub(crate) fn clear(&mut self) {
        self.tasks.clear();
    }
}

/// Whether a sleep is over, and whom to tell.
#[derive(Debug, Default)]
struct Over {
    is_over: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Wake for Over {
    fn wake(self: Arc<Self>) {
        self.is_over.store(true, Ordering::Relaxed);
        let mut waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waker) = waker.take() {
            waker.wake();
        }
    }
}

/// What tasks ask of the world.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sleeps(Rc<RefCell<Vec<(Duration, Waker)>>>);

impl Sleeps {
    /// Waits so long, also if it is polled in between.
    pub(crate) fn sleep(&self, time: Duration) -> impl Future<Output = ()> + use<> {
        let sleeps = self.clone();
        let over = Arc::new(Over::default());
        let mut asked = false;
        std::future::poll_fn(move |context| {
            if time.is_zero() || over.is_over.load(Ordering::Relaxed) {
                return Poll::Ready(());
            }
            let mut waker = over.waker.lock().unwrap_or_else(PoisonError::into_inner);
            *waker = Some(context.waker().clone());
            drop(waker);
            if !std::mem::replace(&mut asked, true) {
                sleeps.0.borrow_mut().push((time, over.clone().into()));
            }
            Poll::Pending
        })
    }

    pub(crate) fn take(&self) -> Vec<(Duration, Waker)> {
        self.0.take()
    }
}

/// Waits for the send; `None` if it was still waiting after the pause, and is dropped.
pub(crate) async fn first_of<T>(
    pause: impl Future<Output = ()>,
    send: impl Future<Output = T>,
) -> Option<T> {
    let (mut pause, mut send) = (pin!(pause), pin!(send));
    poll_fn(move |context| {
        // The pause first: a send that was granted what it waited for may be dropped, too.
        if pause.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        send.as_mut().poll(context).map(Some)
    })
    .await
}
