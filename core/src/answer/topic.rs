//! What a question is about, told by its words.

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// It sounds like an order.
    Order,
    /// What can be asked.
    Help,
    /// Why it broke.
    Cause,
    /// What supports that.
    Evidence,
    /// What changed before.
    Changes,
    /// What to do, and how risky it is.
    Fix,
    /// Whether it happened before.
    History,
    /// Who needs whom.
    Dependencies,
    /// What it uses.
    Metrics,
    /// What it says.
    Logs,
    /// How it stands.
    Status,
    /// Anything else.
    Summary,
}

/// Words, or beginnings of words (`*`), by what they ask for. The order is that of the answer.
const WORDS: &[(Topic, &[&str])] = &[
    (Topic::Help, &["help", "commands"]),
    (
        Topic::Cause,
        &["why", "cause*", "reason*", "root", "explain*", "happened", "broke*", "wrong"],
    ),
    (Topic::Evidence, &["evidence", "proof", "prove*", "sure", "certain*", "know", "confiden*"]),
    (Topic::Changes, &["change*", "deploy*", "config*", "different", "new", "version*", "image"]),
    (
        Topic::Fix,
        &[
            "fix*",
            "do",
            "solve*",
            "mend*",
            "repair*",
            "risk*",
            "safe",
            "dangerous",
            "downtime",
            "plan*",
            "remed*",
            "runbook*",
            "recommend*",
            "should",
        ],
    ),
    (
        Topic::History,
        &[
            "before",
            "again",
            "histor*",
            "similar",
            "previous*",
            "earlier",
            "often",
            "seen",
            "past",
            "times",
            "recur*",
        ],
    ),
    (
        Topic::Dependencies,
        &[
            "depend*",
            "need*",
            "upstream",
            "downstream",
            "affect*",
            "impact*",
            "neighbour*",
            "neighbor*",
            "who",
            "blast",
        ],
    ),
    (
        Topic::Metrics,
        &[
            "metric*",
            "cpu",
            "memory",
            "mem",
            "ram",
            "usage",
            "load",
            "disk",
            "network",
            "traffic",
            "restart*",
            "resource*",
        ],
    ),
    (
        Topic::Logs,
        &["log*", "error*", "line*", "say*", "said", "output", "stack*", "trace*", "exception*"],
    ),
    (
        Topic::Status,
        &[
            "status", "state", "now", "up", "down", "running", "alive", "health*", "ok", "going",
            "long", "when",
        ],
    ),
];

/// Verbs that, at the beginning of a sentence, are an order.
const ORDERS: &[&str] = &[
    "approve", "apply", "reject", "dismiss", "confirm", "execute", "run", "restart", "start",
    "stop", "kill", "fix", "heal", "undo", "revert", "rollback", "roll", "delete", "remove",
    "silence", "halt", "resume", "yes", "go", "do", "deploy", "scale", "recreate", "update",
];

/// Words before an order that do not make it a question.
const POLITE: &[&str] =
    &["please", "now", "just", "ok", "okay", "then", "can", "could", "would", "will", "you", "and"];

/// What a question is about: an order first, then in the order of the answer. Empty: nothing that
/// is known here.
pub fn topics(question: &str) -> Vec<Topic> {
    let words: Vec<String> = question
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let first = words.iter().find(|word| !POLITE.contains(&word.as_str()));
    let approves = words.iter().any(|w| matches!(w.as_str(), "approve" | "approved" | "approval"));
    let mut found = Vec::new();
    if approves || first.is_some_and(|word| ORDERS.contains(&word.as_str())) {
        found.push(Topic::Order);
        return found;
    }
    let fits = |pattern: &str, word: &str| match pattern.strip_suffix('*') {
        Some(beginning) => word.starts_with(beginning),
        None => word == pattern,
    };
    for (topic, patterns) in WORDS {
        if patterns.iter().any(|pattern| words.iter().any(|word| fits(pattern, word))) {
            found.push(*topic);
        }
    }
    found
}

impl Topic {
    /// What a model would add to an answer about it.
    pub fn what_a_model_would_add(self) -> &'static str {
        match self {
            Self::Cause | Self::Evidence => {
                "A model would weigh the lines around the fault against each other, look further with read-only tools, and put the cause into its own words."
            }
            Self::Fix => {
                "A model would compare the ways to mend it for this case, with the runbook in mind. It could not approve one either."
            }
            Self::Logs => "A model would read the lines and say what they mean together.",
            Self::Changes | Self::History => {
                "A model would say which change or earlier incident explains this one best."
            }
            Self::Dependencies | Self::Metrics | Self::Status => {
                "A model would look at the containers around it with read-only tools before it answers."
            }
            Self::Order | Self::Help | Self::Summary => {
                "A model would take questions in any words, and look further with read-only tools before it answers."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_by_their_words() {
        for (question, expected) in [
            ("Why did it die?", &[Topic::Cause][..]),
            ("what is the evidence", &[Topic::Evidence]),
            ("What changed?", &[Topic::Changes]),
            ("what should I do", &[Topic::Fix]),
            ("how risky is that?", &[Topic::Fix]),
            ("Has this happened before?", &[Topic::Cause, Topic::History]),
            ("who depends on it", &[Topic::Dependencies]),
            ("memory?", &[Topic::Metrics]),
            ("show me the last errors", &[Topic::Logs]),
            ("is it up?", &[Topic::Status]),
            ("help", &[Topic::Help]),
            ("should I restart it?", &[Topic::Fix, Topic::Metrics]),
            ("how do I fix it", &[Topic::Fix]),
            ("lorem ipsum", &[]),
            ("", &[]),
        ] {
            assert_eq!(topics(question), expected, "{question}");
        }
    }

    #[test]
    fn what_sounds_like_an_order_is_one() {
        for order in [
            "approve it",
            "Approve the fix!",
            "please restart the container",
            "can you restart it?",
            "run docker start api",
            "yes, do it",
            "how do I approve this?",
            "ok now fix it",
            "undo",
        ] {
            assert_eq!(topics(order), [Topic::Order], "{order}");
        }
    }
}
