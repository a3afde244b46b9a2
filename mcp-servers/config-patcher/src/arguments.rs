//! What the tool takes. Unknown fields are refused.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// Arguments of `update_env_vars`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateEnv {
    /// The container's name, full id, or at least 12 characters of its id.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,
    /// What to change, by variable name: a text sets it, null removes it, and
    /// {"secret_ref": "CONTAINER/KEY"} copies it from a watched container at the call.
    #[schemars(schema_with = "updates_schema")]
    pub env_updates: BTreeMap<String, Update>,
    /// Why, for the record.
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
    /// The State.StartedAt on which the decision rests (RFC 3339). The call is refused as stale
    /// if the container was started at another time.
    pub expect_started_at: Option<String>,
}

/// Arguments of `rollback_container`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The container's name, full id, or at least 12 characters of its id.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,
    /// Why, for the record.
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
    /// The State.StartedAt on which the decision rests (RFC 3339). The call is refused as stale
    /// if the container was started at another time.
    pub expect_started_at: Option<String>,
}

/// What becomes of one variable. Its `Debug` form would show values, so there is none.
#[derive(Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a text, null, or {\"secret_ref\": \"CONTAINER/KEY\"} for each variable"
)]
pub enum Update {
    /// It gets this value.
    Set(String),
    /// It gets the value that another container has.
    Copy(SecretRef),
    /// It is removed.
    Unset,
}

impl std::fmt::Debug for Update {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Set(_) => "Set(***)",
            Self::Copy(_) => "Copy",
            Self::Unset => "Unset",
        })
    }
}

/// A value that is read at the call and never travels.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretRef {
    /// `CONTAINER/KEY`.
    pub secret_ref: String,
}

fn updates_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "description": "What to change, by variable name: a text sets it, null removes it, and {\"secret_ref\": \"CONTAINER/KEY\"} copies the value that a watched container has at the call.",
        "minProperties": 1,
        "maxProperties": 64,
        "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$", "maxLength": 256},
        "additionalProperties": {
            "anyOf": [
                {"type": "string", "maxLength": 131_072, "description": "The new value."},
                {"type": "null", "description": "Remove the variable."},
                {
                    "type": "object",
                    "description": "Copy the value from a watched container.",
                    "properties": {
                        "secret_ref": {
                            "type": "string",
                            "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z_][A-Za-z0-9_.-]*$",
                            "description": "CONTAINER/KEY"
                        }
                    },
                    "required": ["secret_ref"],
                    "additionalProperties": false
                }
            ]
        }
    })
}
