//! Runbooks: what people wrote down for a kind of failure, found again when it happens. Files are
//! read elsewhere; here they are read as text, made safe, and matched. Start at [`Runbook::read`].
//!
//! Their text is shown and may inform a person or a model. It authorises nothing.

pub mod text;

use std::collections::BTreeMap;

use regex::Regex;

use crate::domain::failure::FailureClass;
use crate::domain::incident::Incident;
use crate::domain::snapshot::{ContainerView, Snapshot};
use crate::redact;
use crate::redact::key_block::KeyBlock;
use crate::redact::secrets::MASK;

/// Runbooks kept at most.
pub const MAX_RUNBOOKS: usize = 200;
/// Bytes of one file.
pub const MAX_BYTES: usize = 64 * 1024;
/// Lines kept of one file; the last one then says that it goes on.
pub const MAX_LINES: usize = 500;
/// Bytes of one line.
const MAX_LINE: usize = 2_000;
/// Runbooks that one incident gets.
pub const MAX_FOR_ONE: usize = 3;

/// One condition on a label: its key, and its value if that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelIs {
    /// The key.
    pub key: String,
    /// The value; any if there is none.
    pub value: Option<String>,
}

/// A runbook. Within one kind of condition any may fit; of the kinds that it names, all must.
#[derive(Clone, Debug)]
pub struct Runbook {
    /// The file's name without its ending.
    pub name: String,
    /// Classes that it is for; empty: any.
    pub classes: Vec<FailureClass>,
    /// Services or containers that it is for, with `*` for any characters; empty: any.
    services: Vec<Regex>,
    /// Labels that it is for; empty: any.
    pub labels: Vec<LabelIs>,
    /// Its text without the head, safe to show, bounded.
    pub lines: Vec<String>,
}

/// What is looked up.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The class.
    pub class: FailureClass,
    /// Names that count as the service's: of the service and of its container.
    pub names: &'a [&'a str],
    /// The container's labels.
    pub labels: Option<&'a BTreeMap<String, String>>,
}

impl Runbook {
    /// Reads one. The head is `key: value, value` lines, between two `---` or at the beginning of
    /// the file up to the first line that is none. `classes`, `services` and `labels` count, one of
    /// them is needed; other keys are for other programs.
    pub fn read(name: &str, file: &str) -> Result<Self, String> {
        if file.len() > MAX_BYTES {
            return Err(format!("{} bytes are too many: at most {MAX_BYTES}", file.len()));
        }
        let mut book = Self {
            name: redact::clean(name.as_bytes(), 100),
            classes: Vec::new(),
            services: Vec::new(),
            labels: Vec::new(),
            lines: Vec::new(),
        };
        let mut rest = file.trim_start_matches('\u{feff}').lines().peekable();
        let fenced = rest.next_if(|line| line.trim() == "---").is_some();
        let mut closed = false;
        loop {
            let line = if fenced { rest.next() } else { rest.next_if(|line| is_head(line)) };
            let Some(line) = line else { break };
            if fenced && line.trim() == "---" {
                closed = true;
                break;
            }
            book.head(line)?;
        }
        if fenced && !closed {
            return Err("the head begins with --- and does not end with one".to_owned());
        }
        if book.classes.is_empty() && book.services.is_empty() && book.labels.is_empty() {
            return Err(
                "it says neither classes, services nor labels, so it would never be shown; begin it with a line like `classes: oom_kill, memory_leak`"
                    .to_owned(),
            );
        }
        book.lines = safe_lines(rest);
        Ok(book)
    }

    fn head(&mut self, line: &str) -> Result<(), String> {
        let Some((key, values)) = line.split_once(':') else { return Ok(()) };
        let values = values.trim().trim_matches(['[', ']']);
        let each =
            values.split(',').map(|v| v.trim().trim_matches(['"', '\''])).filter(|v| !v.is_empty());
        match key.trim() {
            "classes" => {
                for value in each {
                    let class = serde_json::from_value(value.into()).map_err(|_| {
                        format!("there is no class {value:?}; docs/jsonl.md lists them")
                    })?;
                    self.classes.push(class);
                }
            }
            "services" => {
                for value in each {
                    let parts: Vec<String> = value.split('*').map(regex::escape).collect();
                    let pattern = format!("^(?s:{})$", parts.join(".*"));
                    self.services
                        .push(Regex::new(&pattern).map_err(|e| format!("{value:?}: {e}"))?);
                }
            }
            "labels" => self.labels.extend(each.map(|value| match value.split_once('=') {
                Some((key, value)) => {
                    LabelIs { key: key.trim().to_owned(), value: Some(value.trim().to_owned()) }
                }
                None => LabelIs { key: value.to_owned(), value: None },
            })),
            _ => {}
        }
        Ok(())
    }

    /// How many kinds of condition it has, if it fits.
    fn fits(&self, wanted: &Wanted<'_>) -> Option<usize> {
        let class = self.classes.is_empty() || self.classes.contains(&wanted.class);
        let service = self.services.is_empty()
            || self.services.iter().any(|s| wanted.names.iter().any(|name| s.is_match(name)));
        let has = |is: &LabelIs| {
            wanted
                .labels
                .and_then(|labels| labels.get(&is.key))
                .is_some_and(|found| is.value.as_ref().is_none_or(|value| value == found))
        };
        let label = self.labels.is_empty() || self.labels.iter().any(has);
        let kinds = [self.classes.is_empty(), self.services.is_empty(), self.labels.is_empty()];
        (class && service && label).then(|| kinds.iter().filter(|empty| !**empty).count())
    }
}

fn is_head(line: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(key, _)| matches!(key.trim(), "classes" | "services" | "labels"))
}

/// Safe to show, line by line; what stands in a private key is hidden.
fn safe_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut key = KeyBlock::default();
    let mut safe: Vec<String> = Vec::new();
    for line in lines {
        if safe.len() == MAX_LINES {
            safe.push("(the file goes on)".to_owned());
            break;
        }
        let hidden = key.line(line);
        let text = if hidden { MASK.to_owned() } else { redact::clean(line.as_bytes(), MAX_LINE) };
        // Blank lines at the beginning say nothing.
        if !(safe.is_empty() && text.trim().is_empty()) {
            safe.push(text);
        }
    }
    while safe.last().is_some_and(|line| line.trim().is_empty()) {
        safe.pop();
    }
    safe
}

/// All runbooks, bounded.
#[derive(Clone, Debug, Default)]
pub struct Runbooks(Vec<Runbook>);

impl Runbooks {
    /// These, by name; beyond [`MAX_RUNBOOKS`] they are left out.
    pub fn of(mut all: Vec<Runbook>) -> Self {
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all.truncate(MAX_RUNBOOKS);
        Self(all)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Those that fit, the most specific first, at most [`MAX_FOR_ONE`].
    pub fn matching(&self, wanted: &Wanted<'_>) -> Vec<&Runbook> {
        let mut found: Vec<(usize, &Runbook)> =
            self.0.iter().filter_map(|book| Some((book.fits(wanted)?, book))).collect();
        // A stable sort: equally specific ones stay in the order of their names.
        found.sort_by_key(|(kinds, _)| std::cmp::Reverse(*kinds));
        found.into_iter().map(|(_, book)| book).take(MAX_FOR_ONE).collect()
    }
}

impl Runbooks {
    /// Those that fit an incident: by its class, and by names and labels of the container at fault.
    pub fn for_incident(&self, incident: &Incident, snapshot: &Snapshot) -> Vec<&Runbook> {
        let find = |is: &dyn Fn(&ContainerView) -> bool| snapshot.containers.iter().find(|v| is(v));
        let root = find(&|v| v.container.of.name == incident.root);
        let found = root.or_else(|| find(&|v| v.container.of.id == incident.container.id));
        let container = found.map(|v| v.container.as_ref());
        let service = container.map_or(incident.service(), |c| &c.of.service);
        self.matching(&Wanted {
            class: incident.class,
            names: &[incident.root.as_str(), service],
            labels: container.map(|c| &c.labels),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(name: &str, text: &str) -> Runbook {
        Runbook::read(name, text).unwrap()
    }

    fn names(
        books: &Runbooks,
        class: FailureClass,
        service: &str,
        label: Option<(&str, &str)>,
    ) -> Vec<String> {
        let labels = label.map(|(k, v)| BTreeMap::from([(k.to_owned(), v.to_owned())]));
        let wanted = Wanted { class, names: &[service], labels: labels.as_ref() };
        books.matching(&wanted).iter().map(|b| b.name.clone()).collect()
    }

    #[test]
    fn the_most_specific_one_comes_first_and_every_kind_must_fit() {
        let books = Runbooks::of(vec![
            book("memory", "classes: oom_kill, memory_leak\n# Memory\n"),
            book("api", "services: api*\nclasses: oom_kill\n# API\n"),
            book("team", "---\nowner: ann\nlabels: team=shop\n---\ntext\n"),
            book("any-team", "labels: team\ntext\n"),
        ]);
        let oom = FailureClass::OomKill;
        assert_eq!(names(&books, oom, "api-v2", None), ["api", "memory"]);
        assert_eq!(names(&books, oom, "worker", None), ["memory"]);
        assert_eq!(names(&books, FailureClass::Hang, "api", None), [""; 0]);
        assert_eq!(
            names(&books, FailureClass::Hang, "x", Some(("team", "shop"))),
            ["any-team", "team"]
        );
        assert_eq!(names(&books, FailureClass::Hang, "x", Some(("team", "pay"))), ["any-team"]);
        assert_eq!(names(&books, oom, "api", Some(("team", "shop"))).len(), MAX_FOR_ONE);
    }

    #[test]
    fn a_star_is_the_only_special_character() {
        let books = Runbooks::of(vec![book("dot", "services: a.c, x*y*z\ntext\n")]);
        let fits = |service| !names(&books, FailureClass::Hang, service, None).is_empty();
        for (service, expected) in [
            ("a.c", true),
            ("abc", false),
            ("a.cd", false),
            ("xyz", true),
            ("x1y2z", true),
            ("xz", false),
        ] {
            assert_eq!(fits(service), expected, "{service}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, words) in [
            ("# Only a title\n", "neither classes"),
            ("classes: oomkill\n", "no class \"oomkill\""),
            ("---\nclasses: hang\n", "does not end"),
            ("", "neither classes"),
        ] {
            let error = Runbook::read("x", text).unwrap_err();
            assert!(error.contains(words), "{text:?}: {error}");
        }
        let large = format!("classes: hang\n{}", "x".repeat(MAX_BYTES));
        assert!(Runbook::read("x", &large).unwrap_err().contains("too many"));
    }

    #[test]
    fn its_text_is_safe_and_bounded() {
        let text = "classes: hang\n\nlog in with password=hunter2-and-more\n\u{1b}[31mred\u{1b}[0m\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----\n";
        let read = book("x", text);
        let all = read.lines.join("\n");
        assert!(
            !all.contains("hunter2") && !all.contains("MIIEvQ") && !all.contains('\u{1b}'),
            "{all}"
        );
        assert!(read.lines[0].starts_with("log in with "), "{all}");
        let long = format!("classes: hang\n{}", "line\n".repeat(2 * MAX_LINES));
        assert_eq!(book("x", &long).lines.len(), MAX_LINES + 1);
        let many = (0..MAX_RUNBOOKS + 5).map(|n| book(&format!("{n:04}"), "classes: hang\n"));
        assert_eq!(Runbooks::of(many.collect()).count(), MAX_RUNBOOKS);
    }
}
