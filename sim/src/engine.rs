//! The world with a running clock, for many users at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::switches::{Switch, Switches, Wire};
use crate::world::World;

/// Between two looks at the world: many lines are written in one go.
const LOOKS: (Duration, Duration) = (Duration::from_millis(4), Duration::from_millis(500));

/// A simulated engine. Cloning is cheap; all clones are the same engine.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    clock: Mutex<Clock>,
    switches: Mutex<Switches>,
    /// Those who wait for something new about a container.
    waiters: Mutex<HashMap<u64, watch::Sender<()>>>,
    /// How many events there have been.
    events: watch::Sender<u64>,
    /// Something may be due earlier than was thought.
    sooner: Notify,
    /// How often the daemon was told to start anew, and how long it stays away.
    restarts: watch::Sender<(u32, Duration)>,
}

impl Engine {
    /// An engine with this world; its clock runs with the machine's from the world's time on.
    pub fn new(world: World) -> Self {
        Self(Arc::new(Inner {
            clock: Mutex::new(Clock::new(Timestamp::now().max(world.now))),
            events: watch::Sender::new(world.events.end()),
            world: Mutex::new(world),
            switches: Mutex::default(),
            waiters: Mutex::default(),
            sooner: Notify::new(),
            restarts: watch::Sender::new((0, Duration::ZERO)),
        }))
    }

    /// Lets the world go on until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        loop {
            let due = self.look(|world| (world.due(), world.now));
            let wait = due.0.map_or(LOOKS.1, |at| {
                let ours = at.duration_since(due.1).max(SignedDuration::ZERO);
                Duration::try_from(lock(&self.0.clock).real(ours)).unwrap_or(LOOKS.1)
            });
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait.clamp(LOOKS.0, LOOKS.1)) => {}
                () = self.0.sooner.notified() => {}
            }
        }
    }

    /// Looks at the world as it is now.
    pub fn look<R>(&self, looking: impl FnOnce(&World) -> R) -> R {
        let mut world = self.present();
        let result = looking(&world);
        self.tell(&mut world);
        result
    }

    /// Changes the world as it is now.
    pub fn change<R>(&self, changing: impl FnOnce(&mut World) -> R) -> R {
        let mut world = self.present();
        let result = changing(&mut world);
        self.tell(&mut world);
        drop(world);
        self.0.sooner.notify_one();
        result
    }

    fn present(&self) -> MutexGuard<'_, World> {
        let mut world = lock(&self.0.world);
        let now = lock(&self.0.clock).at(Timestamp::now());
        // Behind a clock that jumped the world follows step by step, each of them bounded.
        if !world.step(now) {
            self.0.sooner.notify_one();
        }
        world
    }

    /// Wakes those who wait for what is new.
    fn tell(&self, world: &mut World) {
        let touched = world.take_touched();
        if !touched.is_empty() {
            let mut waiters = lock(&self.0.waiters);
            for key in touched {
                if let Some(waiter) = waiters.get(&key) {
                    waiter.send_replace(());
                    if waiter.receiver_count() == 0 {
                        waiters.remove(&key);
                    }
                }
            }
        }
        let end = world.events.end();
        self.0.events.send_if_modified(|seen| std::mem::replace(seen, end) != end);
    }

    /// Tells when there is something new about a container.
    pub fn watch(&self, key: u64) -> watch::Receiver<()> {
        let mut waiters = lock(&self.0.waiters);
        waiters.entry(key).or_insert_with(|| watch::Sender::new(())).subscribe()
    }

    /// Tells when there are new events.
    pub fn watch_events(&self) -> watch::Receiver<u64> {
        self.0.events.subscribe()
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        *lock(&self.0.clock)
    }

    /// Sets how fast the clock runs.
    pub fn set_pace(&self, factor: f64) {
        lock(&self.0.clock).pace(Timestamp::now(), factor);
        self.0.sooner.notify_one();
    }

    /// Sets the clock forward, as when a machine wakes up: what should have happened meanwhile
    /// did not.
    pub fn jump(&self, ahead: SignedDuration) {
        self.change(|world| {
            let mut clock = lock(&self.0.clock);
            clock.jump(Timestamp::now(), ahead);
            world.leap(clock.at(Timestamp::now()));
        });
    }

    /// Turns a fault switch on; false: there are too many.
    pub fn switch_on(&self, switch: Switch) -> bool {
        lock(&self.0.switches).on(switch)
    }

    /// Turns all fault switches off.
    pub fn switches_off(&self) {
        lock(&self.0.switches).clear();
    }

    /// What goes wrong with a request.
    pub fn wrong(&self, method: &str, path: &str) -> Vec<Wire> {
        lock(&self.0.switches).take(method, path)
    }

    /// Ends the daemon and starts it anew after a while: every connection breaks, and meanwhile
    /// there is no socket.
    pub fn restart_daemon(&self, away: Duration) {
        self.change(World::daemon_ends);
        self.0.restarts.send_modify(|(count, stays)| {
            *count = count.wrapping_add(1);
            *stays = away;
        });
    }

    pub(crate) fn watch_restarts(&self) -> watch::Receiver<(u32, Duration)> {
        self.0.restarts.subscribe()
    }
}

/// A panic of somebody else while they held the lock leaves a world that is still whole: each
/// operation checks before it changes.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
