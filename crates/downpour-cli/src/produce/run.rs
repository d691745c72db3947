//! The order of events: settings, input, cluster, topic, threads, end. Nothing is sent before
//! the first four have gone well.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use downpour::blocking::{Producer, TopicProducer};

use super::entry::InputLine;
use super::human::Human;
use super::json::Json;
use super::report::{Halt, Sink, Summary};
use super::reporter::Reporter;
use super::sender::Sender;
use super::window::{self, Window};
use crate::args::{InputFormat, JsonReport, ProduceArgs};
use crate::console::Console;
use crate::embedded;
use crate::ending::{Ending, Refusal};
use crate::input::{self, Block, ReadError, Source, Template};
use crate::settings;
use crate::signals::Signals;

/// How long records that were accepted before an interrupt may take to their verdict.
const GRACE: Duration = Duration::from_secs(10);
/// How many blocks may be read and not sent yet.
const BLOCKS: usize = 4;
/// How many blocks may be sent and not reported yet; the window bounds their records.
const BATCHES: usize = 1024;

/// What the reading side and the signals say.
enum Message {
    Block(Block),
    /// A source that cannot be read on, or was interrupted.
    Failed(ReadError),
    /// A signal came; the flag says which.
    Interrupted,
    /// All sources are at their end.
    End,
}

pub(crate) fn run(args: &ProduceArgs, console: &Console) -> Result<Ending, Refusal> {
    let signals = Signals::take();
    let (cluster, builder) = if args.connection.embedded {
        let (cluster, builder) = embedded::start(&args.connection, &args.topic)?;
        (Some(cluster), builder)
    } else {
        (None, settings::builder(&args.connection, None)?)
    };
    let producer = settings::build(builder)?.blocking();
    let sources = input::open(args)?;
    let template = Template::new(&args.input, &args.record);
    let interrupted = Arc::new(AtomicU8::new(0));
    let (messages, inbox) = mpsc::sync_channel(BLOCKS);
    if let Some(signals) = signals {
        watch(signals, &producer, &interrupted, messages.clone(), console);
    }
    let needs = if args.input.keep_going {
        input::Needs::default()
    } else {
        input::check(&sources, &template)?
    };
    let topic = match warm_up(&producer, args, &needs) {
        Ok(topic) => topic,
        Err(refusal) => {
            return match interrupted.load(Ordering::Relaxed) {
                0 => Err(refusal),
                signal => Ok(Ending::Interrupted(signal)),
            };
        }
    };
    let ending = stream(
        args,
        console,
        sources,
        Parts {
            producer: &producer,
            topic: &topic,
            template: &template,
            interrupted: &interrupted,
            messages,
            inbox,
        },
    );
    drop(cluster);
    Ok(ending)
}

/// What is ready when the first line is read.
struct Parts<'a> {
    producer: &'a Producer,
    topic: &'a TopicProducer,
    template: &'a Template,
    interrupted: &'a AtomicU8,
    messages: SyncSender<Message>,
    inbox: Receiver<Message>,
}

/// The first signal ends reading and gives what was accepted its time; the second ends all at once.
fn watch(
    signals: Signals,
    producer: &Producer,
    interrupted: &Arc<AtomicU8>,
    messages: SyncSender<Message>,
    console: &Console,
) {
    let (producer, interrupted, console) = (producer.clone(), interrupted.clone(), console.clone());
    signals.watch(move |signal, before| {
        if before > 0 {
            console.end_progress();
            console.line("interrupted again: what has no verdict yet may or may not be written");
            std::process::exit(Ending::Interrupted(signal).code().into());
        }
        interrupted.store(signal, Ordering::Relaxed);
        console.note(&format!(
            "interrupted: what was accepted has {} s; a second signal ends at once",
            GRACE.as_secs()
        ));
        let (producer, messages) = (producer.clone(), messages.clone());
        // Closing lets a send that waits for memory go; each accepted record gets its verdict,
        // and the reporting side lists it. This thread stays free for the second signal.
        thread::spawn(move || {
            // What was not delivered is told by the records' handles.
            drop(producer.close_within(GRACE));
            let _ = messages.send(Message::Interrupted);
        });
    });
}

/// Asks for the topic, so that a wrong name or address is found before anything is sent.
fn warm_up(
    producer: &Producer,
    args: &ProduceArgs,
    needs: &input::Needs,
) -> Result<TopicProducer, Refusal> {
    let topic = producer
        .topic(&args.topic)
        .map_err(|error| Refusal(vec![error.to_string(), "nothing was sent".into()]))?;
    let partitions = topic.partitions();
    let flag = args
        .record
        .partition
        .map(|partition| (partition, "--partition".to_owned()));
    for (partition, at) in flag.iter().chain(&needs.partition) {
        if u32::try_from(*partition).is_ok_and(|partition| partition >= partitions) {
            return Err(Refusal(vec![
                format!(
                    "{at}: partition is {partition}, but {} has {partitions} partitions; name \
                     one that exists (they count from 0), or leave it out",
                    args.topic
                ),
                "nothing was sent".into(),
            ]));
        }
    }
    Ok(topic)
}

fn stream(args: &ProduceArgs, console: &Console, sources: Vec<Source>, parts: Parts<'_>) -> Ending {
    let Parts {
        producer,
        topic,
        template,
        interrupted,
        messages,
        inbox,
    } = parts;
    let names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    let formats: Vec<InputFormat> = sources.iter().map(|source| source.format).collect();
    if sources.iter().any(Source::is_stdin) && std::io::stdin().is_terminal() {
        console.note("reading records from the terminal, one a line; Ctrl-D ends");
    } else if !args.no_progress {
        console.show_progress(None, "records");
    }
    let began = Instant::now();
    let window = Window::new(window::RECORDS);
    let (entries, reported) = mpsc::sync_channel(BATCHES);
    let reporter = Reporter::new(sinks(args, console, &names), console.clone());
    let sender = Sender {
        producer,
        topic,
        template,
        formats: &formats,
        keep_going: args.input.keep_going,
        interrupted,
        window: &window,
        entries,
    };
    read_all(sources, messages);
    let (mut reporter, halt) = thread::scope(|scope| {
        let reporting = scope.spawn(|| reporter.run(reported, &window));
        let halt = pump(&inbox, &sender, names.len());
        // The reporting side ends when the last sender is dropped and everything is reported.
        drop(sender);
        producer.close();
        let reporter = reporting.join().expect("a panic there is passed on here");
        (reporter, halt)
    });
    console.end_progress();
    let tally = std::mem::take(&mut reporter.tally);
    let summary = Summary {
        topic: topic.name(),
        names: &names,
        tally: &tally,
        halt: halt.as_ref(),
        elapsed: began.elapsed(),
    };
    reporter.tell(|sink| sink.summary(&summary));
    if let Some(trouble) = &reporter.trouble {
        console.line(&format!(
            "error: not every result could be written out: {trouble}"
        ));
    }
    match interrupted.load(Ordering::Relaxed) {
        0 if summary.is_complete() && reporter.trouble.is_none() => Ending::Complete,
        0 => Ending::Incomplete,
        signal => Ending::Interrupted(signal),
    }
}

fn sinks(args: &ProduceArgs, console: &Console, names: &[String]) -> Vec<Box<dyn Sink>> {
    let human = Human::new(console.clone(), names.to_vec(), console.is_quiet());
    match args.json {
        None => vec![Box::new(human)],
        Some(JsonReport::Records) => vec![Box::new(Json::new(names.to_vec()))],
        Some(JsonReport::Summary) => {
            let summary = Json::new(names.to_vec()).summary_only();
            vec![Box::new(human.failures_only()), Box::new(summary)]
        }
    }
}

/// Reads all sources in order, on a thread that is never joined: it may hang in a read forever.
fn read_all(sources: Vec<Source>, messages: SyncSender<Message>) {
    thread::spawn(move || {
        for (index, source) in sources.into_iter().enumerate() {
            let mut blocks = source.into_blocks(index);
            loop {
                let message = match blocks.next_block() {
                    Ok(Some(block)) => Message::Block(block),
                    Ok(None) => break,
                    Err(error) => Message::Failed(error),
                };
                let is_last = matches!(message, Message::Failed(_));
                if messages.send(message).is_err() || is_last {
                    return;
                }
            }
        }
        // If the receiver is gone, the run has ended and needs no more.
        let _ = messages.send(Message::End);
    });
}

/// Sends what comes until the end, or until something stops it.
fn pump(inbox: &Receiver<Message>, sender: &Sender<'_>, sources: usize) -> Option<Halt> {
    let mut reached = 0;
    let mut next = None;
    let mut halt = loop {
        match inbox.recv() {
            Ok(Message::Block(block)) => {
                reached = block.source;
                if let ControlFlow::Break(halt) = sender.block(&block) {
                    break halt;
                }
                let lines = block.lines().count() as u64;
                next = Some(InputLine {
                    source: block.source,
                    line: block.first_line + lines,
                });
            }
            Ok(Message::Failed(error)) => {
                reached = error.source;
                let at = Some(InputLine {
                    source: error.source,
                    line: error.line,
                });
                break Halt {
                    at,
                    reason: error.reason,
                    untouched: Vec::new(),
                };
            }
            Ok(Message::Interrupted) => {
                break Halt {
                    at: next,
                    reason: "interrupted".into(),
                    untouched: Vec::new(),
                };
            }
            Ok(Message::End) => return None,
            Err(_) => {
                let reason = "the reading thread is gone".into();
                break Halt {
                    at: next,
                    reason,
                    untouched: Vec::new(),
                };
            }
        }
    };
    halt.untouched = (reached + 1..sources).collect();
    Some(halt)
}
