//! The order of events: settings, input, cluster, topic, threads, end. Nothing is sent before
//! the first four have gone well.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Instant;

use downpour::blocking::{Producer, TopicProducer};

use super::entry::InputLine;
use super::human::{self, Human};
use super::json::Json;
use super::message::Message;
use super::report::{Halt, Sink, Summary};
use super::reporter::Reporter;
use super::sender::Sender;
use super::stop::{GRACE, Stop, Why};
use super::window::{self, Window};
use crate::args::{InputFormat, JsonReport, ProduceArgs};
use crate::console::Console;
use crate::embedded;
use crate::ending::{Ending, Refusal};
use crate::input::{self, Source, Template};
use crate::patient;
use crate::settings::Settings;
use crate::signals::Signals;

/// How many blocks may be read and not sent yet.
const BLOCKS: usize = 4;
/// How many blocks may be sent and not reported yet; the window bounds their records.
const BATCHES: usize = 1024;

pub(crate) fn run(args: &ProduceArgs, console: &Console) -> Result<Ending, Refusal> {
    let signals = Signals::take();
    let subject = args.subject()?;
    let settings = Settings::read(&args.connection)?;
    let (cluster, builder) = if args.connection.embedded {
        let partitions = args.connection.embedded_partitions;
        let (cluster, builder) = embedded::start(&settings, &subject.topic, partitions)?;
        (Some(cluster), builder)
    } else {
        (None, settings.builder(None)?)
    };
    // It knows `max_block` for records; the start has its own limit, and so its own producer.
    let probe = builder.clone().max_block(settings.reach_within());
    let producer = settings.build(builder)?;
    let probe = settings.build(probe)?;
    let sources = input::open(&subject.files, &args.input, settings.record_max())?;
    let template = Template::new(&args.input, &args.record);
    let (messages, inbox) = mpsc::sync_channel(BLOCKS);
    let stop = Arc::new(Stop::new(messages.clone()));
    stop.closes(&probe);
    if let Some(signals) = signals {
        watch(signals, &stop, console);
    }
    let needs = if args.input.keep_going {
        input::Needs::default()
    } else {
        input::check(&sources, &template)?
    };
    let reached = settings.reach(&probe, &subject.topic).and_then(|_| {
        stop.closes(&producer);
        drop(probe);
        let topic = settings.reach(&producer, &subject.topic)?;
        check_partitions(&topic, args, &needs)?;
        Ok(topic)
    });
    let topic = match reached {
        Ok(topic) => topic,
        Err(refusal) => {
            return match stop.why() {
                Some(Why::Signal(signal)) => Ok(Ending::Interrupted(*signal)),
                _ => Err(refusal),
            };
        }
    };
    if args.json == Some(JsonReport::Records) {
        watch_output(&stop);
    }
    let ending = stream(
        args,
        console,
        sources,
        Parts {
            producer: &producer,
            topic: &topic,
            template: &template,
            stop: &stop,
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
    stop: &'a Stop,
    messages: SyncSender<Message>,
    inbox: Receiver<Message>,
}

/// The first signal ends reading and gives what was accepted its time; the second ends all at once.
fn watch(signals: Signals, stop: &Arc<Stop>, console: &Console) {
    let (stop, console) = (stop.clone(), console.clone());
    signals.watch(move |signal, before| {
        if before > 0 {
            console.end_progress();
            console.line("interrupted again: what has no verdict yet may or may not be written");
            std::process::exit(Ending::Interrupted(signal).code().into());
        }
        console.note(&format!(
            "interrupted: what was accepted has {} s; a second signal ends at once",
            GRACE.as_secs()
        ));
        // This thread stays free for the second signal.
        stop.now(Why::Signal(signal));
    });
}

/// Sees by itself that nobody reads the results any more: with an idle input there is nothing to
/// write that would tell.
fn watch_output(stop: &Arc<Stop>) {
    let stop = stop.clone();
    thread::spawn(move || {
        // Where it cannot be known, a write will tell.
        if patient::wait_until_output_is_closed().is_ok() {
            stop.now(Why::Unread);
        }
    });
}

/// A partition that does not exist is found before anything is sent.
fn check_partitions(
    topic: &TopicProducer,
    args: &ProduceArgs,
    needs: &input::Needs,
) -> Result<(), Refusal> {
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
                    topic.name()
                ),
                "nothing was sent".into(),
            ]));
        }
    }
    Ok(())
}

fn stream(args: &ProduceArgs, console: &Console, sources: Vec<Source>, parts: Parts<'_>) -> Ending {
    let Parts {
        producer,
        topic,
        template,
        stop,
        messages,
        inbox,
    } = parts;
    let names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    let formats: Vec<InputFormat> = sources.iter().map(|source| source.format).collect();
    if sources.iter().any(Source::is_stdin) && std::io::stdin().is_terminal() {
        console.note("reading records from the terminal, one a line; Ctrl-D ends");
    } else if !args.no_progress {
        // Files have a length; of a pipe nobody knows what is to come.
        match sources.iter().map(Source::size).sum() {
            Some(size) => console.show_progress_of_input(size),
            None => console.show_progress(None, "records"),
        }
    }
    let began = Instant::now();
    let window = Window::new(window::RECORDS);
    let (entries, reported) = mpsc::sync_channel(BATCHES);
    let last = Human::new(console.clone(), names.clone(), console.is_quiet()).failures_only();
    let reporter = Reporter::new(
        sinks(args, console, &names),
        Box::new(last),
        console.clone(),
        stop,
    );
    let sender = Sender {
        producer,
        topic,
        template,
        formats: &formats,
        keep_going: args.input.keep_going,
        stop,
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
    if !matches!(stop.why(), None | Some(Why::Signal(_))) {
        reporter.turn();
    }
    reporter.tell(|sink| sink.summary(&summary));
    match stop.why() {
        None if summary.is_complete() => Ending::Complete,
        None => Ending::Incomplete,
        Some(Why::Signal(signal)) => Ending::Interrupted(*signal),
        Some(why) => {
            let acknowledged = human::records(tally.acknowledged);
            console.line(&format!(
                "error: not every result could be told: {why}; {acknowledged} acknowledged"
            ));
            match why {
                Why::Unread => Ending::Unread,
                _ => Ending::Incomplete,
            }
        }
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
    let mut next = Some(InputLine { source: 0, line: 1 });
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
            Ok(Message::Stopped) => {
                let why = sender.stop.why().map(ToString::to_string);
                break Halt {
                    at: next,
                    reason: why.unwrap_or_default(),
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
