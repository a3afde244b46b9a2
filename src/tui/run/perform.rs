//! Does what `update` asks of the runner.

use std::collections::VecDeque;
use std::path::Path;

use jiff::Timestamp;
use sentinel_core::domain::command::Command;
use sentinel_core::domain::log_page::PageAsk;
use sentinel_core::domain::plan::Actor;
use tokio::sync::mpsc;

use crate::runtime::asking::Question;
use crate::runtime::rings::{RING_LINES, Range};
use crate::tui::export::{self, Kind};
use crate::tui::message::{Effect, Msg};
use crate::tui::reach;
use crate::tui::run::Runner;
use crate::tui::terminal::{self, TuiError};
use crate::tui::theme::Theme;
use crate::tui::update::update;

/// Log lines read at once.
const PAGE: usize = 4096;

impl Runner {
    /// Lets `update` take a message and does what it asks. Log pages are read at once; they may
    /// lead to further ones, but never to more than a ring holds.
    pub(super) fn take(&mut self, message: Msg) {
        let mut queue = VecDeque::from([message]);
        let mut pages = 0;
        while let Some(message) = queue.pop_front() {
            for effect in update(&mut self.state, message) {
                match effect {
                    Effect::ReadLogs { container, generation, last, revision } => {
                        pages += 1;
                        let logs = 1 + self.state.logs.merged.len();
                        if pages > (RING_LINES / PAGE + 2) * logs {
                            continue;
                        }
                        let next = Range::After { seq: last.saturating_sub(1), limit: PAGE };
                        let mut whole = last == 0;
                        let range = if whole { Range::Tail(RING_LINES) } else { next };
                        let mut page = self.handle.logs(&container, range);
                        if !whole && (page.revision != revision || page.first_kept > last) {
                            page = self.handle.logs(&container, Range::Tail(RING_LINES));
                            whole = true;
                        }
                        queue.push_back(Msg::Logs { container, generation, page, whole });
                    }
                    Effect::ReadPage { generation, older, ask } => {
                        self.page(generation, older, ask);
                    }
                    Effect::Ask(command) => {
                        let handle = self.handle.clone();
                        let actor = Actor::Person(self.operator.clone());
                        let answer = self.answer.clone();
                        self.tasks.spawn(async move {
                            let outcome = handle.command(actor, command).await;
                            say(&answer, outcome.map_err(|e| e.to_string())).await;
                        });
                    }
                    Effect::Rehearse(fix) => {
                        let handle = self.handle.clone();
                        let actor = Actor::Person(self.operator.clone());
                        let answer = self.answer.clone();
                        self.tasks.spawn(async move {
                            let command = Command::DryRun { fix: fix.clone() };
                            let outcome = handle.command(actor, command).await;
                            let outcome = outcome.map_err(|e| e.to_string());
                            tell(&answer, Msg::Rehearsed { fix, outcome }).await;
                        });
                    }
                    Effect::Pick(item) => {
                        let Some(pick) = &self.pick else { continue };
                        let work = pick(item);
                        let answer = self.answer.clone();
                        self.tasks.spawn(async move { say(&answer, work.await).await });
                    }
                    Effect::Question { number, question } => self.ask(number, question),
                    Effect::CancelQuestion => {
                        if let Some(answering) = self.answering.take() {
                            answering.abort();
                        }
                    }
                    Effect::Keep { incident, document } => {
                        let folder = self.postmortems.clone();
                        self.export(&folder, Kind::Postmortem(incident), document);
                    }
                    Effect::SaveLines { name, document } => {
                        self.export(&self.saved_logs.clone(), Kind::Lines(name), document);
                    }
                    Effect::Copy(text) => self.copy(text),
                    Effect::Look { generation, look } => {
                        queue.extend(self.look(generation, look));
                    }
                    Effect::Theme(name) => queue.push_back(self.take_theme(name)),
                    Effect::Preview(name) => queue.extend(self.preview(&name)),
                    Effect::Mouse(on) => reach::done(terminal::listen_to_mouse(on)),
                    Effect::Notify(words) => {
                        reach::done(reach::notify(self.notify, &words, self.tmux));
                    }
                    // The main loop does it: it may fail, and then the UI ends.
                    Effect::Suspend => self.suspends = true,
                }
            }
        }
    }

    /// Copies both ways: what the terminal took cannot be known, the machine's own display says.
    fn copy(&mut self, text: String) {
        let handed = reach::copy(&text, self.tmux);
        let (display, answer) = (self.display, self.answer.clone());
        self.tasks.spawn(async move {
            let tool = reach::native(display, &text).await;
            if answer.send(reach::said(&handed, tool)).await.is_err() {
                tracing::info!("a copy ended after the terminal UI");
            }
        });
    }

    /// Reads a page beside what goes on. One that is under way is not wanted any more.
    fn page(&mut self, generation: u64, older: bool, ask: PageAsk) {
        let (handle, answer) = (self.handle.clone(), self.answer.clone());
        let task = self.tasks.spawn(async move {
            let outcome = handle.page(ask).await;
            if answer.send(Msg::Page { generation, older, outcome }).await.is_err() {
                tracing::info!("a page of a log came after the terminal UI had ended");
            }
        });
        if let Some(before) = self.paging.replace(task) {
            before.abort();
        }
    }

    fn take_theme(&mut self, name: &str) -> Msg {
        match Theme::load(name, false) {
            Ok(theme) => {
                self.put_on(theme);
                self.theme_file = None;
                Msg::Said { ok: true, text: format!("Theme {name}, until sentinel-tui ends.") }
            }
            Err(error) => Msg::Said { ok: false, text: error.to_string() },
        }
    }

    /// Stops as a shell's job, and draws everything again once that goes on.
    pub(super) async fn suspend(&mut self) -> Result<(), TuiError> {
        terminal::suspend()?;
        let size = self.screen.size().map_err(TuiError::on("tell its size"))?;
        self.take(Msg::Resize { width: size.width, height: size.height });
        self.take(Msg::Tick { now: Timestamp::now(), at: self.began.elapsed() });
        self.state.redraw = true;
        self.draw().await
    }

    /// Writes a file beside what goes on.
    fn export(&mut self, folder: &Path, kind: Kind, document: String) {
        let (folder, answer) = (folder.to_owned(), self.answer.clone());
        self.tasks.spawn(async move {
            say(&answer, export::write(folder, kind, document).await).await;
        });
    }

    /// Hands the pieces of an answer on as they come. Ending the task cancels the answer.
    fn ask(&mut self, number: u64, question: Question) {
        let mut asking = self.handle.ask(question);
        let answer = self.answer.clone();
        self.answering = Some(self.tasks.spawn(async move {
            while let Some(part) = asking.next().await {
                if answer.send(Msg::Part { number, part }).await.is_err() {
                    break;
                }
            }
        }));
    }
}

async fn say(answer: &mpsc::Sender<Msg>, outcome: Result<String, String>) {
    let message = match outcome {
        Ok(text) => Msg::Said { ok: true, text },
        Err(text) => Msg::Said { ok: false, text },
    };
    tell(answer, message).await;
}

async fn tell(answer: &mpsc::Sender<Msg>, message: Msg) {
    if answer.send(message).await.is_err() {
        tracing::info!("an answer came after the terminal UI had ended");
    }
}
