//! A conversation in which the model may look further with tools that read, a few times.

use std::sync::Arc;

use sentinel_core::consult::brief::Brief;
use sentinel_core::consult::{look, menu};
use sentinel_core::domain::opinion::Looked;
use sentinel_core::domain::tool::Tool;
use sentinel_core::redact;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::analyze::desk::{Desk, Refusal};
use crate::analyze::prompt::Prompt;
use crate::analyze::reply::{Ask, Call, Form, Heard, Message, Reply, ToolSpec};
use crate::ports::ReadTools;

/// Times that the model may look further before it has to answer.
const ROUNDS: usize = 4;
/// Calls of one round that are made; the rest is told to be too much.
const CALLS: usize = 3;
/// Bytes of what a tool answered, for the model.
const ANSWER: usize = 3000;
/// Bytes of it that are kept with the incident.
const EXCERPT: usize = 400;

/// What is asked, and in which form.
pub(super) struct Question {
    /// Instructions and facts.
    pub(super) prompt: Prompt,
    /// What was said before, if anything.
    pub(super) before: Vec<Message>,
    /// The form of the answer.
    pub(super) form: Form,
    /// Tokens of one answer.
    pub(super) max_tokens: u32,
    /// How much chance is in it.
    pub(super) temperature: f32,
}

/// How a conversation ended.
pub(super) struct Outcome {
    /// All replies; the last one is the answer.
    pub(super) replies: Vec<Reply>,
    /// How the model looked further.
    pub(super) looked: Vec<Looked>,
}

/// Who listens while it goes on.
#[derive(Clone, Default)]
pub(super) struct Listener {
    /// Pieces of text.
    pub(super) pieces: Option<mpsc::Sender<Heard>>,
    /// Looks, as they are made.
    pub(super) looks: Option<mpsc::Sender<Looked>>,
}

/// Asks until there is an answer. What was spent on the way stands in the replies.
pub(super) async fn converse(
    desk: &Desk,
    question: Question,
    brief: &Brief,
    reads: &Arc<dyn ReadTools>,
    stop: &CancellationToken,
    listener: Listener,
) -> Result<Outcome, Refusal> {
    let Question { prompt, before, form, max_tokens, temperature } = question;
    let mut messages = vec![Message::System(prompt.system)];
    messages.extend(before);
    messages.push(Message::User(prompt.user));
    let tools: Vec<ToolSpec> = brief.tools.iter().filter(|t| menu::may_read(t)).map(spec).collect();
    let mut outcome = Outcome { replies: Vec::new(), looked: Vec::new() };
    for round in 0..=ROUNDS {
        let last = round == ROUNDS;
        let ask = Ask {
            messages: messages.clone(),
            form: form.clone(),
            tools: if last { Vec::new() } else { tools.clone() },
            max_tokens,
            temperature,
        };
        let reply = desk.ask(&ask, stop, listener.pieces.clone()).await?;
        let (text, calls) = (reply.text.clone(), reply.calls.clone());
        outcome.replies.push(reply);
        if calls.is_empty() || last {
            return Ok(outcome);
        }
        // Whatever was said before a look is no part of the answer.
        if let Some(pieces) = &listener.pieces
            && !text.is_empty()
        {
            drop(pieces.send(Heard::Anew).await);
        }
        messages.push(Message::Assistant { text, calls: calls.clone() });
        for (number, call) in calls.into_iter().enumerate() {
            let answer = if number < CALLS {
                let looked = look_up(&call, brief, reads, outcome.looked.len() + 1, stop).await?;
                let answer =
                    json!({"id": looked.id, "ok": looked.ok, "answer": looked.excerpt}).to_string();
                let kept = Looked { excerpt: cut(&looked.excerpt, EXCERPT), ..looked };
                if let Some(looks) = &listener.looks {
                    // Who listened may have gone.
                    drop(looks.send(kept.clone()).await);
                }
                outcome.looked.push(kept);
                answer
            } else {
                format!("not made: {CALLS} calls at a time are enough")
            };
            messages.push(Message::Tool { call_id: call.id, text: answer });
        }
    }
    Ok(outcome)
}

fn spec(tool: &Tool) -> ToolSpec {
    ToolSpec {
        name: tool.name.clone(),
        description: tool.description.clone(),
        parameters: tool.input_schema.clone(),
    }
}

async fn look_up(
    call: &Call,
    brief: &Brief,
    reads: &Arc<dyn ReadTools>,
    number: usize,
    stop: &CancellationToken,
) -> Result<Looked, Refusal> {
    let arguments = call.object().cloned();
    let target = arguments
        .as_ref()
        .ok()
        .and_then(|a| a.get("container_name"))
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    let mut looked = Looked {
        id: format!("T{number}"),
        tool: redact::clean(call.name.as_bytes(), 64),
        target: redact::clean(target.as_bytes(), 128),
        ok: false,
        excerpt: String::new(),
    };
    let composed = arguments.and_then(|a| look::compose(brief, &call.name, &a));
    let read = match composed {
        Ok(read) => read,
        Err(why) => {
            looked.excerpt = why;
            return Ok(looked);
        }
    };
    let answer = tokio::select! {
        () = stop.cancelled() => return Err(Refusal { why: "called off".to_owned(), until: None }),
        answer = reads.read(read) => answer,
    };
    match answer {
        Ok((result, value)) => {
            looked.ok = result.ok;
            let value = look::shown(&value);
            let text =
                if value.is_null() || !result.ok { result.message } else { value.to_string() };
            looked.excerpt = cut(&text, ANSWER);
        }
        Err(error) => looked.excerpt = redact::clean(error.to_string().as_bytes(), EXCERPT),
    }
    Ok(looked)
}

/// The remediator made the text safe already; this only bounds it.
fn cut(text: &str, bytes: usize) -> String {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end < text.len() { format!("{} …", &text[..end]) } else { text.to_owned() }
}
