//! The bus on real Redis servers: what is told arrives once and in order whatever happens to Redis,
//! and what is asked is answered.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sentinel_core::domain::command::Command;
use sentinel_core::domain::event::{Envelope, Event};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::Stream as Output;
use sentinel_core::domain::plan::Actor;
use sentinel_core::domain::signal::Signal;
use sentinel_tui::bus::commands::{Outcome, ask};
use sentinel_tui::bus::consume::{Reader, Stream};
use sentinel_tui::bus::lease::RedisLeases;
use sentinel_tui::bus::place::Place;
use sentinel_tui::bus::redis_bus::{Identity, RedisBus};
use sentinel_tui::config::bus::BusSettings;
use sentinel_tui::config::environment::Environment;
use sentinel_tui::ports::{Bus as _, Front, Leases as _, PortError};
use serde_json::Value;
use support::Fallible;
use support::redis::Redis;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

const HOST: &str = "web-1";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// An engine that does what it is asked, and knows one incident.
#[derive(Default)]
struct Engine {
    asked: Mutex<Vec<(Actor, Command)>>,
    states: AtomicUsize,
}

impl Front for Engine {
    fn state(&self, missed: u64) -> Event {
        self.states.fetch_add(1, Ordering::SeqCst);
        Event::Snapshot { containers: Vec::new(), incidents: Vec::new(), missed }
    }

    fn knows(&self, command: &Command) -> bool {
        !matches!(command, Command::Dismiss { incident, .. } if incident.as_str() != "INC-1")
    }

    fn ask(&self, by: Actor, command: Command) -> BoxFuture<'_, Result<String, PortError>> {
        Box::pin(async move {
            let refused = matches!(command, Command::Resume { .. });
            self.asked.lock().map_err(|e| PortError(e.to_string()))?.push((by, command));
            if refused {
                Err(PortError("it is not halted".to_owned()))
            } else {
                Ok("done".to_owned())
            }
        })
    }
}

/// A bus that runs, and the way to it.
struct Running {
    engine: Arc<Engine>,
    bus: Arc<RedisBus>,
    words: mpsc::Receiver<Signal>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    seq: u64,
}

fn settings(url: &str) -> Fallible<BusSettings> {
    let variables = [("REDIS_URL".to_owned(), url.to_owned())];
    Ok(BusSettings::decide(&Environment::of(variables))?.ok_or("no Redis")?.0)
}

fn place(url: &str) -> Fallible<Arc<Place>> {
    Ok(Arc::new(Place::new(&settings(url)?)?))
}

impl Running {
    fn start(place: &Arc<Place>, run: &str, file: Option<&Path>) -> Self {
        let identity =
            Identity { host: HOST.to_owned(), instance: "test-1".to_owned(), run: run.to_owned() };
        let bus = RedisBus::new(Arc::clone(place), identity, file.map(Path::to_owned));
        let bus = Arc::new(bus.with_commands(true));
        let (out, words) = mpsc::channel(256);
        let stop = CancellationToken::new();
        let engine = Arc::new(Engine::default());
        let (front, token) = (Arc::clone(&engine) as Arc<dyn Front>, stop.clone());
        let running = Arc::clone(&bus);
        let task = tokio::spawn(async move { running.run(front, out, token).await });
        Self { engine, bus, words, stop, task, seq: 0 }
    }

    fn tell(&mut self, event: Event) {
        self.seq += 1;
        let ts = Timestamp::now().to_string();
        let envelope = Envelope { v: 1, seq: self.seq, ts, host: HOST.to_owned(), event };
        self.bus.hear(&Arc::new(envelope));
    }

    async fn end(self) -> Fallible {
        self.stop.cancel();
        Ok(timeout(PATIENCE, self.task).await??)
    }

    /// Waits for a word of how Redis is.
    async fn word(&mut self, wanted: fn(&Signal) -> bool) -> Fallible<Signal> {
        loop {
            let word = timeout(PATIENCE, self.words.recv()).await?.ok_or("it ended")?;
            if wanted(&word) {
                return Ok(word);
            }
        }
    }
}

fn is_away(word: &Signal) -> bool {
    matches!(word, Signal::Degraded { part, .. } if part == "redis")
}

fn is_back(word: &Signal) -> bool {
    matches!(word, Signal::Recovered { part, .. } if part == "redis")
}

/// One that stands for an incident's news.
fn news(number: u64) -> Event {
    Event::CircuitOpened { server: format!("s{number}"), failures: 1, until: Timestamp::UNIX_EPOCH }
}

fn line(number: u64) -> Event {
    Event::Log {
        container: "api".to_owned(),
        service: "api".to_owned(),
        stream: Output::Stdout,
        level: None,
        message: format!("INFO request {number} served in {} ms", number % 97),
        anomaly_id: None,
    }
}

/// What members of a group read until told to stop, by stream id: what comes again is counted.
async fn follow(
    place: Arc<Place>,
    stream: Stream,
    stop: CancellationToken,
) -> Fallible<(BTreeMap<(u64, u64), Value>, usize)> {
    let mut reader = Reader::new(place, HOST, stream, "readers", "one");
    let (mut read, mut again) = (BTreeMap::new(), 0);
    loop {
        let Ok(entries) = reader.next().await else {
            // Redis is away.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        if entries.is_empty() && stop.is_cancelled() {
            return Ok((read, again));
        }
        let mut ids = Vec::new();
        for entry in entries {
            let (ms, n) = entry.id.split_once('-').ok_or("no id")?;
            let event = serde_json::from_str(entry.field("event"))?;
            again += usize::from(read.insert((ms.parse()?, n.parse()?), event).is_some());
            ids.push(entry.id);
        }
        // What is not acknowledged for a broken connection comes again.
        drop(reader.acknowledge(&ids).await);
    }
}

fn variable(name: &str, default: u64) -> Fallible<u64> {
    Ok(std::env::var(name).map_or(Ok(default), |text| text.parse())?)
}

/// Redis is killed and started again three times while events flow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: run scripts/test.sh"]
async fn every_event_arrives_once_and_in_order_over_three_restarts_of_redis() -> Fallible {
    let (seconds, rate) =
        (variable("SENTINEL_BUS_SECONDS", 8)?, variable("SENTINEL_BUS_RATE", 2000)?);
    let mut redis = Redis::start()?;
    let place = place(&redis.url())?;
    let folder = tempfile::tempdir()?;
    let mut bus = Running::start(&place, "r1", Some(&folder.path().join("spool")));
    let enough = CancellationToken::new();
    let events = tokio::spawn(follow(Arc::clone(&place), Stream::Events, enough.clone()));
    let lines = tokio::spawn(follow(Arc::clone(&place), Stream::Logs, enough.clone()));
    let began = Instant::now();
    let (mut told, mut spoken, mut restarts) = (0, 0, 0);
    let mut down: Option<Instant> = None;
    while began.elapsed() < Duration::from_secs(seconds) {
        // A fiftieth of a second's events; one of twenty must arrive.
        for number in 0..rate / 50 {
            if number % 20 == 0 {
                told += 1;
                bus.tell(news(told));
            } else {
                spoken += 1;
                bus.tell(line(spoken));
            }
        }
        let due = seconds * 1000 * (restarts * 2 + 1) / 7;
        if restarts < 3 && down.is_none() && began.elapsed() >= Duration::from_millis(due) {
            redis.kill()?;
            down = Some(Instant::now());
        } else if down.is_some_and(|at| at.elapsed() >= Duration::from_secs(seconds) / 14) {
            redis.run()?;
            (down, restarts) = (None, restarts + 1);
        }
        let next = began + Duration::from_millis(20) * u32::try_from(bus.seq / (rate / 50))?;
        tokio::time::sleep_until(next).await;
    }
    assert_eq!(restarts, 3);
    // The last restart may not have been heard of yet.
    let last = told;
    let deadline = Instant::now() + PATIENCE;
    let mut look = redis.connection()?;
    loop {
        let found: Vec<(String, BTreeMap<String, String>)> = redis::cmd("XREVRANGE")
            .arg(format!("sentinel:{{{HOST}}}:events"))
            .arg(&["+", "-", "COUNT", "20"])
            .query(&mut look)?;
        if found.iter().any(|(_, fields)| fields["event"].contains(&format!("\"s{last}\""))) {
            break;
        }
        assert!(Instant::now() < deadline, "the last event did not arrive: {found:?}");
        sleep(Duration::from_millis(50)).await;
    }
    let states = bus.engine.states.load(Ordering::SeqCst);
    bus.end().await?;
    enough.cancel();
    let (events, events_again) = timeout(PATIENCE, events).await???;
    let (lines, lines_again) = timeout(PATIENCE, lines).await???;
    let of = |value: &Value, kind: &str| value["type"] == kind;
    let arrived: Vec<&str> = events
        .values()
        .filter(|event| of(event, "circuit_opened"))
        .filter_map(|event| event["server"].as_str())
        .collect();
    let expected: Vec<String> = (1..=told).map(|number| format!("s{number}")).collect();
    let first = expected.iter().zip(&arrived).find(|(told, came)| told != came);
    assert!(
        arrived == expected,
        "{} of {told} arrived, the first that differs is {first:?}; {states} snapshots instead of some",
        arrived.len()
    );
    let read = lines.values().filter(|event| of(event, "log")).count() as u64;
    let dropped: u64 = lines
        .values()
        .filter(|event| of(event, "log_dropped"))
        .filter_map(|event| event["count"].as_u64())
        .sum();
    let mut seqs: Vec<u64> = lines.values().filter_map(|event| event["seq"].as_u64()).collect();
    seqs.dedup();
    assert!(seqs.is_sorted(), "lines are in order");
    assert_eq!(read + dropped, spoken, "every line that did not arrive was counted");
    eprintln!(
        "{seconds} s, {} events/s: {told} events told, {} arrived once and in order ({events_again} read again); {spoken} lines told, {read} arrived, {dropped} dropped and counted ({lines_again} read again)",
        (told + spoken) / seconds,
        arrived.len(),
    );
    Ok(())
}

#[tokio::test]
#[ignore = "needs redis-server: run scripts/test.sh"]
async fn what_redis_did_not_get_is_sent_after_the_next_start_and_its_absence_is_told() -> Fallible {
    let mut redis = Redis::start()?;
    redis.kill()?;
    let place = place(&redis.url())?;
    let folder = tempfile::tempdir()?;
    let spool = folder.path().join("spool");
    let mut bus = Running::start(&place, "r1", Some(&spool));
    (1..=5000).for_each(|number| bus.tell(news(number)));
    let Signal::Degraded { detail, .. } = bus.word(is_away).await? else { unreachable!() };
    assert!(detail.contains("next try in") && detail.contains("waiting"), "{detail}");
    bus.end().await?;
    assert!(std::fs::metadata(&spool)?.len() > 0, "what waits is kept");

    let mut bus = Running::start(&place, "r2", Some(&spool));
    bus.tell(news(5001));
    bus.word(is_away).await?;
    redis.run()?;
    bus.word(is_back).await?;
    bus.end().await?;
    assert_eq!(std::fs::metadata(&spool)?.len(), 0);
    let found: Vec<(String, BTreeMap<String, String>)> = redis::cmd("XRANGE")
        .arg(format!("sentinel:{{{HOST}}}:events"))
        .arg(&["-", "+"])
        .query(&mut redis.connection()?)?;
    let runs: Vec<(String, u64)> = found
        .iter()
        .map(|(_, fields)| Ok((fields["run"].clone(), fields["n"].parse()?)))
        .collect::<Fallible<_>>()?;
    let mut expected: Vec<(String, u64)> = (1..=5000).map(|n| ("r1".to_owned(), n)).collect();
    expected.push(("r2".to_owned(), 1));
    assert_eq!(runs, expected);
    Ok(())
}

#[tokio::test]
#[ignore = "needs redis-server: run scripts/test.sh"]
async fn commands_are_checked_done_once_and_answered() -> Fallible {
    let mut redis = Redis::start()?;
    let place = place(&redis.url())?;
    let bus = Running::start(&place, "r1", None);
    let dismiss = |incident: &str| Command::Dismiss {
        incident: incident.into(),
        reason: "a test".to_owned(),
    };
    let answer = ask(&place, HOST, "ann", &dismiss("INC-1"), PATIENCE).await?.ok_or("no answer")?;
    assert_eq!((answer.outcome, answer.message.as_str()), (Outcome::Done, "done"));
    let asked = bus.engine.asked.lock().map(|asked| asked.clone()).unwrap_or_default();
    assert_eq!(asked, [(Actor::Person("ann via redis".to_owned()), dismiss("INC-1"))]);

    let resume = Command::Resume { reason: "a test".to_owned() };
    let answer = ask(&place, HOST, "ann", &resume, PATIENCE).await?.ok_or("no answer")?;
    assert_eq!((answer.outcome, answer.message.as_str()), (Outcome::Refused, "it is not halted"));
    let nobody = ask(&place, HOST, " ", &resume, PATIENCE).await?.ok_or("no answer")?;
    assert_eq!(nobody.outcome, Outcome::Refused);
    let short = Duration::from_secs(3);
    let unknown = ask(&place, HOST, "ann", &dismiss("INC-2"), short).await?.ok_or("no answer")?;
    assert_eq!(unknown.outcome, Outcome::Unknown);
    assert_eq!(ask(&place, "web-2", "ann", &resume, short).await?, None, "another host's stream");

    // The same again, for another host, of long ago, and nonsense; then one that is heard.
    let key = format!("sentinel:{{{HOST}}}:commands");
    let mut look = redis.connection()?;
    let found: Vec<(String, BTreeMap<String, String>)> =
        redis::cmd("XRANGE").arg(&key).arg(&["-", "+"]).query(&mut look)?;
    let first: String = found.first().ok_or("no command")?.1["ask"].clone();
    let other = first.replace("\"host\":\"web-1\"", "\"host\":\"web-2\"");
    let mut old: Value = serde_json::from_str(&first)?;
    old["expires_at"] = Timestamp::UNIX_EPOCH.to_string().into();
    for text in [first, other, old.to_string(), "{}".to_owned(), "x".repeat(70_000)] {
        redis::cmd("XADD").arg(&key).arg(&["*", "ask", text.as_str()]).exec(&mut look)?;
    }
    redis.kill()?;
    redis.run()?;
    ask(&place, HOST, "ann", &resume, PATIENCE).await?.ok_or("no answer after a restart")?;
    let asked = bus.engine.asked.lock().map(|asked| asked.len()).unwrap_or_default();
    assert_eq!(asked, 3, "one dismissal, two resumptions");
    bus.end().await
}

#[tokio::test]
#[ignore = "needs redis-server: run scripts/test.sh"]
async fn one_instance_has_the_lease_until_it_ends_or_dies() -> Fallible {
    let mut redis = Redis::start()?;
    let rest = Duration::from_mins(2);
    let instance = |who: &str| -> Fallible<RedisLeases> {
        Ok(RedisLeases::new(place(&redis.url())?, HOST, who, rest))
    };
    let (one, two) = (instance("one")?, instance("two")?);
    let of = |name: &str| vec![ContainerId(name.repeat(16))];
    let key = |name: &str| format!("sentinel:{{{HOST}}}:lease:{}", name.repeat(16));
    let mut look = redis.connection()?;
    let token = |look: &mut redis::Connection, name: &str| -> Fallible<u64> {
        let held: String = redis::cmd("GET").arg(key(name)).query(look)?;
        Ok(held.split_once(' ').ok_or("no token")?.0.parse()?)
    };

    let held = one.take(of("abcd"), false).await?;
    held.holds().await?;
    let first = token(&mut look, "abcd")?;
    for by_person in [false, true] {
        let why = two.take(of("abcd"), by_person).await.err().ok_or("both have it")?.to_string();
        assert!(why.contains("instance one has it"), "{why}");
    }
    // Of another container it is free; of both together it is not, and nothing stays taken.
    two.take(of("ef01"), false).await?.end(false).await;
    assert!(two.take([of("ef01"), of("abcd")].concat(), false).await.is_err());
    one.take(of("ef01"), false).await?.end(false).await;

    // After an act the policy of another keeps off, and a person need not.
    held.end(true).await;
    let why = two.take(of("abcd"), false).await.err().ok_or("acted twice")?.to_string();
    assert!(why.contains("instance one acted on it"), "{why}");
    let person = two.take(of("abcd"), true).await?;
    assert!(token(&mut look, "abcd")? > first, "tokens only rise");

    // It is lost: what was approved must not be done.
    redis::cmd("DEL").arg(key("abcd")).exec(&mut look)?;
    let why = person.holds().await.err().ok_or("it holds what is gone")?.to_string();
    assert!(why.contains("was lost"), "{why}");
    drop(person);

    // Its holder dies without a word: it lapses.
    let dies = one.take(of("9999"), false).await?;
    drop(dies);
    let left: i64 = redis::cmd("PTTL").arg(key("9999")).query(&mut look)?;
    assert!((1..=15_000).contains(&left), "{left}");
    redis::cmd("PEXPIRE").arg(key("9999")).arg(1).exec(&mut look)?;
    let deadline = Instant::now() + PATIENCE;
    while two.take(of("9999"), false).await.is_err() {
        assert!(Instant::now() < deadline, "it does not lapse");
    }

    // Without Redis nobody knows, and that is said in bounded time.
    redis.kill()?;
    let asked = Instant::now();
    let why = one.take(of("7777"), true).await.err().ok_or("taken from nobody")?.to_string();
    assert!(why.contains("cannot be known"), "{why}");
    assert!(asked.elapsed() < PATIENCE);
    Ok(())
}
