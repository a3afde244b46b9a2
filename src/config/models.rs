//! The language models: `CEREBRAS_…`, `LLAMA_…` and the section `[models]`. Nothing of it is
//! needed; without a key and without an address there are none.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::config::ConfigError;
use crate::config::environment::Environment;

/// Where Cerebras answers.
const CEREBRAS_BASE: &str = "https://api.cerebras.ai/v1";
/// What is asked for there, in this order, unless something else is said.
const CEREBRAS_MODELS: &[&str] = &["gpt-oss-120b", "llama3.1-8b"];
/// Where OpenRouter answers.
const LLAMA_BASE: &str = "https://openrouter.ai/api/v1";
/// How long to wait for an answer to begin or to go on, unless something else is said.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is asked for there.
const LLAMA_MODELS: &[&str] = &["meta-llama/llama-4-scout"];

/// The section `[models]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelsSection {
    /// Models are asked at all.
    pub enabled: Option<bool>,
    /// The one that looks at lines.
    pub triage: Option<RoleSection>,
    /// The one that looks at incidents.
    pub analyst: Option<RoleSection>,
    /// USD for a million tokens, by the model's id.
    #[serde(default)]
    pub prices: BTreeMap<String, Price>,
    /// What may be spent.
    pub caps: Option<Caps>,
    /// A PEM file with the authority of an endpoint of one's own.
    pub ca_file: Option<PathBuf>,
    /// A proxy, instead of `HTTPS_PROXY`.
    pub proxy: Option<String>,
    /// Seconds to wait for an answer to begin or to go on.
    pub patience_seconds: Option<u64>,
}

/// The keys `triage` and `analyst`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleSection {
    /// The address up to `/v1`.
    pub base: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// Models instead of it, in this order, where it is not offered.
    #[serde(default)]
    pub fallbacks: Vec<String>,
}

/// USD for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Of those that are sent.
    pub prompt: f64,
    /// Of those that come back.
    pub completion: f64,
}

impl Price {
    /// What so many tokens cost in USD.
    pub fn of(&self, prompt_tokens: u64, completion_tokens: u64) -> f64 {
        let millions = |tokens: u64| tokens as f64 / 1e6;
        millions(prompt_tokens) * self.prompt + millions(completion_tokens) * self.completion
    }
}

/// What may be spent on models.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Caps {
    /// Tokens in a minute.
    pub tokens_per_minute: u64,
    /// Tokens in an hour.
    pub tokens_per_hour: u64,
    /// Tokens in a day.
    pub tokens_per_day: u64,
    /// Money in an hour.
    pub usd_per_hour: f64,
    /// Money in a day.
    pub usd_per_day: f64,
    /// What is assumed for a model whose price is not known.
    pub unknown_price: Price,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            // One analysis with its looks takes up to 30,000.
            tokens_per_minute: 100_000,
            tokens_per_hour: 500_000,
            tokens_per_day: 2_000_000,
            usd_per_hour: 0.5,
            usd_per_day: 3.0,
            unknown_price: Price { prompt: 1.0, completion: 2.0 },
        }
    }
}

/// Where a role's model answers.
#[derive(Clone, Debug)]
pub struct ModelEndpoint {
    /// The address up to `/v1`.
    pub base: Url,
    /// What is sent as `Authorization: Bearer …`.
    pub key: Option<SecretString>,
    /// The variable that holds the key, for messages.
    pub key_name: String,
    /// Models, the preferred one first.
    pub models: Vec<String>,
}

/// The models, decided.
#[derive(Clone, Debug)]
pub struct ModelSettings {
    /// The one that looks at lines.
    pub triage: Option<ModelEndpoint>,
    /// The one that looks at incidents.
    pub analyst: Option<ModelEndpoint>,
    /// USD for a million tokens, by the model's id.
    pub prices: BTreeMap<String, Price>,
    /// What may be spent.
    pub caps: Caps,
    /// A PEM file with the authority of an endpoint of one's own.
    pub ca_file: Option<PathBuf>,
    /// A proxy, instead of `HTTPS_PROXY`. It may hold a password: it is not shown.
    pub proxy: Option<SecretString>,
    /// How long to wait for an answer to begin or to go on.
    pub patience: Duration,
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self {
            triage: None,
            analyst: None,
            prices: BTreeMap::new(),
            caps: Caps::default(),
            ca_file: None,
            proxy: None,
            patience: PATIENCE,
        }
    }
}

/// Where a value comes from, for `config show`.
pub type Source = (String, String);

impl ModelSettings {
    /// Decides them. `said` takes down which values are no defaults.
    pub fn decide(
        section: ModelsSection,
        environment: &Environment,
        said: &mut Vec<Source>,
    ) -> Result<Self, ConfigError> {
        check(&section)?;
        if section.enabled == Some(false) {
            said.push(("models".to_owned(), "models.enabled".to_owned()));
            return Ok(Self::default());
        }
        let analyst = Role {
            name: "analyst",
            base: ("LLAMA_API_BASE", environment.text("LLAMA_API_BASE"), LLAMA_BASE),
            model: ("LLAMA_MODEL", environment.text("LLAMA_MODEL"), LLAMA_MODELS),
            key: environment.text("LLAMA_API_KEY").map(|key| ("LLAMA_API_KEY", key)).or_else(
                || environment.text("OPENROUTER_API_KEY").map(|key| ("OPENROUTER_API_KEY", key)),
            ),
            key_name: "LLAMA_API_KEY",
            section: section.analyst.unwrap_or_default(),
        };
        let triage = Role {
            name: "triage",
            base: ("CEREBRAS_API_BASE", environment.text("CEREBRAS_API_BASE"), CEREBRAS_BASE),
            model: ("CEREBRAS_MODEL", environment.text("CEREBRAS_MODEL"), CEREBRAS_MODELS),
            key: environment.text("CEREBRAS_API_KEY").map(|key| ("CEREBRAS_API_KEY", key)),
            key_name: "CEREBRAS_API_KEY",
            section: section.triage.unwrap_or_default(),
        };
        let analyst = analyst.decide(said)?;
        let triage = match triage.decide(said)? {
            Some(endpoint) => Some(endpoint),
            None => analyst.clone(),
        };
        Ok(Self {
            triage,
            analyst,
            prices: section.prices,
            caps: section.caps.unwrap_or_default(),
            ca_file: section.ca_file.filter(|path| !path.as_os_str().is_empty()),
            proxy: section.proxy.as_deref().and_then(filled).map(SecretString::from),
            patience: patience(section.patience_seconds, environment, said)?,
        })
    }

    /// Whether any model is asked.
    pub fn any(&self) -> bool {
        self.triage.is_some() || self.analyst.is_some()
    }
}

impl ModelEndpoint {
    /// Where it is and what is asked there; of the key only whether there is one.
    pub fn words(&self) -> String {
        let key = match &self.key {
            Some(_) => format!("key from {}", self.key_name),
            None => "no key".to_owned(),
        };
        let models = match self.models.as_slice() {
            [] => "the first model that it offers".to_owned(),
            models => models.join(", else "),
        };
        format!("{models} at {} ({key})", self.base)
    }
}

/// What is said about one role.
struct Role {
    name: &'static str,
    base: (&'static str, Option<String>, &'static str),
    model: (&'static str, Option<String>, &'static [&'static str]),
    key: Option<(&'static str, String)>,
    key_name: &'static str,
    section: RoleSection,
}

impl Role {
    /// The endpoint; `None` where nobody gave a key or an address.
    fn decide(self, said: &mut Vec<Source>) -> Result<Option<ModelEndpoint>, ConfigError> {
        let in_file = |key: &str| format!("models.{}.{key}", self.name);
        let (variable, value, default_base) = self.base;
        let base = value.map(|base| (base, variable.to_owned())).or_else(|| {
            self.section.base.as_deref().and_then(filled).map(|b| (b, in_file("base")))
        });
        if base.is_none() && self.key.is_none() {
            return Ok(None);
        }
        let source = match (&base, &self.key) {
            (Some((_, source)), _) => source.clone(),
            (None, Some((name, _))) => (*name).to_owned(),
            (None, None) => String::new(),
        };
        said.push((self.name.to_owned(), source.clone()));
        let base = address(base.as_ref().map_or(default_base, |(base, _)| base.as_str()), &source)?;
        let (_, value, default_models) = self.model;
        let mut models: Vec<String> = value
            .as_deref()
            .and_then(filled)
            .or_else(|| self.section.model.as_deref().and_then(filled))
            .into_iter()
            .chain(self.section.fallbacks.iter().filter_map(|m| filled(m)))
            .collect();
        if models.is_empty() {
            models = default_models.iter().map(|m| (*m).to_owned()).collect();
        }
        let mut seen = std::collections::BTreeSet::new();
        models.retain(|model| seen.insert(model.clone()));
        let (key_name, key) = match self.key {
            Some((name, key)) => (name, Some(SecretString::from(key.trim()))),
            None => (self.key_name, None),
        };
        if let Some(key) = &key
            && !key.expose_secret().bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(ConfigError::Invalid(format!(
                "{key_name} holds white space or characters that no key has: copy it again"
            )));
        }
        Ok(Some(ModelEndpoint { base, key, key_name: key_name.to_owned(), models }))
    }
}

/// How long to wait; a model on a slow machine needs more than one in a data centre.
fn patience(
    in_file: Option<u64>,
    environment: &Environment,
    said: &mut Vec<Source>,
) -> Result<Duration, ConfigError> {
    let text = environment.text("SENTINEL_MODEL_PATIENCE");
    let source = if text.is_some() { "SENTINEL_MODEL_PATIENCE" } else { "models.patience_seconds" };
    let asked = match text {
        Some(text) => text.trim().parse().ok(),
        None => match in_file {
            Some(seconds) => Some(seconds),
            None => return Ok(PATIENCE),
        },
    };
    said.push(("models.patience".to_owned(), source.to_owned()));
    match asked {
        Some(seconds @ 1..=600) => Ok(Duration::from_secs(seconds)),
        _ => {
            Err(ConfigError::Invalid(format!("{source}: write a number of seconds from 1 to 600")))
        }
    }
}

/// A value that is not blank.
fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The address of an endpoint. The error does not repeat it: it may hold a password.
fn address(text: &str, source: &str) -> Result<Url, ConfigError> {
    let wrong = |why: &str| {
        ConfigError::Invalid(format!("{source}: {why}; write it like http://127.0.0.1:11434/v1"))
    };
    let base = Url::parse(text.trim_end_matches('/'))
        .map_err(|e| wrong(&format!("this is no address ({e})")))?;
    if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
        return Err(wrong("an address begins with http:// or https:// and names a machine"));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(wrong("the address holds a name or password, which would end up in logs"));
    }
    if base.query().is_some() || base.fragment().is_some() {
        return Err(wrong("the address ends with its path"));
    }
    Ok(base)
}

fn check(section: &ModelsSection) -> Result<(), ConfigError> {
    let caps = section.caps.unwrap_or_default();
    let amounts = [caps.usd_per_hour, caps.usd_per_day];
    let prices = section.prices.values().chain([&caps.unknown_price]);
    let numbers = prices.flat_map(|p| [p.prompt, p.completion]).chain(amounts);
    for number in numbers {
        if !(0.0..=1e9).contains(&number) {
            return Err(ConfigError::Invalid(format!(
                "[models] {number} is no price and no amount of money: write a number of 0 or more"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(file: &str, variables: &[(&str, &str)]) -> Result<ModelSettings, String> {
        let section: ModelsSection = toml::from_str(file).map_err(|e| e.to_string())?;
        let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        ModelSettings::decide(section, &Environment::of(variables), &mut Vec::new())
            .map_err(|e| e.to_string())
    }

    #[test]
    fn without_key_and_address_there_are_none() {
        for variables in
            [&[][..], &[("LLAMA_API_KEY", " "), ("LLAMA_MODEL", "x"), ("CEREBRAS_MODEL", "y")]]
        {
            assert!(
                !decide("[triage]\nmodel = \"m\"\n[analyst]\nbase = \" \"", variables)
                    .unwrap()
                    .any()
            );
        }
    }

    #[test]
    fn triage_takes_the_other_endpoint_where_it_has_none() {
        let both = decide("", &[("OPENROUTER_API_KEY", "k1"), ("CEREBRAS_MODEL", "y")]).unwrap();
        let (triage, analyst) = (both.triage.unwrap(), both.analyst.unwrap());
        assert_eq!(triage.base.as_str(), "https://openrouter.ai/api/v1");
        assert_eq!(triage.models, ["meta-llama/llama-4-scout"]);
        assert_eq!(triage.key_name, "OPENROUTER_API_KEY");
        assert_eq!(analyst.models, triage.models);

        let own = decide("", &[("CEREBRAS_API_KEY", "k2"), ("CEREBRAS_MODEL", "y")]).unwrap();
        assert!(own.analyst.is_none());
        let triage = own.triage.unwrap();
        assert_eq!(triage.base.as_str(), "https://api.cerebras.ai/v1");
        assert_eq!(triage.models, ["y"]);
    }

    #[test]
    fn the_environment_wins_over_the_file_and_an_address_needs_no_key() {
        let file = "[analyst]\nbase = \"http://a/v1/\"\nmodel = \"m\"\nfallbacks = [\"n\", \"m\"]";
        let analyst = decide(file, &[]).unwrap().analyst.unwrap();
        assert_eq!(analyst.base.as_str(), "http://a/v1");
        assert_eq!(analyst.models, ["m", "n"]);
        assert!(analyst.key.is_none());
        let variables = [("LLAMA_API_BASE", "http://b:1/x"), ("LLAMA_MODEL", "o")];
        let analyst = decide(file, &variables).unwrap().analyst.unwrap();
        assert_eq!(analyst.base.as_str(), "http://b:1/x");
        assert_eq!(analyst.models, ["o", "n", "m"]);
        assert!(!decide(&format!("enabled = false\n{file}"), &variables).unwrap().any());
    }

    #[test]
    fn keys_and_passwords_never_show() {
        let variables = [("LLAMA_API_KEY", " hunter2\n"), ("CEREBRAS_API_KEY", "hunter3")];
        let settings = decide("proxy = \"http://ann:hunter4@x\"", &variables).unwrap();
        let analyst = settings.analyst.as_ref().unwrap();
        assert_eq!(analyst.key.as_ref().map(ExposeSecret::expose_secret), Some("hunter2"));
        let shown = format!("{settings:?} {}", analyst.words());
        assert!(!shown.contains("hunter"), "{shown}");
        for base in ["http://ann:hunter5@x/v1", "ftp://hunter5", "hunter5", "http://x?hunter5"] {
            let error = decide("", &[("LLAMA_API_BASE", base)]).unwrap_err();
            assert!(error.contains("LLAMA_API_BASE") && !error.contains("hunter"), "{error}");
        }
        let error = decide("", &[("LLAMA_API_KEY", "hunter6 x")]).unwrap_err();
        assert!(error.contains("LLAMA_API_KEY") && !error.contains("hunter"), "{error}");
    }

    #[test]
    fn prices_and_caps_are_checked() {
        let file =
            "[caps]\nusd_per_day = 1\n[prices]\n\"a/b\" = { prompt = 0.1, completion = 0.4 }";
        let settings = decide(file, &[]).unwrap();
        assert_eq!(settings.caps.usd_per_day.to_bits(), 1.0_f64.to_bits());
        assert_eq!(settings.caps.tokens_per_day, 2_000_000);
        assert!((settings.prices["a/b"].of(1_000_000, 1_000_000) - 0.5).abs() < 1e-9);
        for file in [
            "[caps]\nusd_per_day = -1",
            "[prices]\na = { prompt = nan, completion = 0 }",
            "[caps]\nusd = 1",
        ] {
            assert!(decide(file, &[]).is_err(), "{file}");
        }
    }
}
