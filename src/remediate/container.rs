//! A catalogue entry's image as a command: one container per server, over standard input and
//! output, with exactly the variables and volumes that the entry names.

use crate::remediate::spec::Way;

/// What the entry says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    pub(crate) image: String,
    pub(crate) command: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) volumes: Vec<String>,
    pub(crate) user: Option<String>,
    /// Whether it may reach anything.
    pub(crate) network: bool,
}

/// Variables that the Docker client itself needs: which engine, and where its settings are. The
/// server in the container sees none of them.
pub(crate) const CLIENT_VARIABLES: [&str; 7] = [
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CONFIG",
    "HOME",
    "PATH",
];

impl Run {
    /// The command, or why there is none.
    pub(crate) fn way(self) -> Way {
        if !is_image(&self.image) {
            return Way::Unusable(format!("{:?} is no name of an image", self.image));
        }
        if let Some((bad, _)) = self.env.iter().find(|(name, _)| !is_variable(name)) {
            return Way::Unusable(format!("{bad:?} in its env is no name of a variable"));
        }
        let templates = self.env.iter().map(|(_, value)| value).chain(&self.volumes);
        if let Some(template) = templates.chain(&self.command).find(|text| text.contains("{{")) {
            return Way::Unusable(format!(
                "{template:?} is a template of Docker's gateway, which is not filled in here; write the value"
            ));
        }
        let mut words: Vec<String> =
            ["docker", "run", "--rm", "-i"].iter().map(|word| (*word).to_owned()).collect();
        // Never watched, never a target.
        words.extend(["--label".to_owned(), "sre-sentinel.self=true".to_owned()]);
        if !self.network {
            words.extend(["--network".to_owned(), "none".to_owned()]);
        }
        if let Some(user) = self.user {
            words.extend(["--user".to_owned(), user]);
        }
        for (name, value) in self.env {
            words.extend(["-e".to_owned(), format!("{name}={value}")]);
        }
        for volume in self.volumes {
            words.extend(["-v".to_owned(), volume]);
        }
        words.push(self.image);
        words.extend(self.command);
        Way::Container { command: words }
    }
}

fn is_image(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./:@".contains(&b))
}

fn is_variable(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-') && !text.contains(['=', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_what_the_entry_names_gets_in() {
        let run = Run {
            image: "mcp/time:1".to_owned(),
            command: vec!["--utc".to_owned()],
            env: vec![
                ("ZONE".to_owned(), "a b".to_owned()),
                ("lower-case".to_owned(), "1".to_owned()),
            ],
            volumes: vec!["/var/run/docker.sock:/var/run/docker.sock".to_owned()],
            user: None,
            network: true,
        };
        let Way::Container { command } = run.way() else { panic!("no container") };
        assert_eq!(
            command,
            [
                "docker",
                "run",
                "--rm",
                "-i",
                "--label",
                "sre-sentinel.self=true",
                "-e",
                "ZONE=a b",
                "-e",
                "lower-case=1",
                "-v",
                "/var/run/docker.sock:/var/run/docker.sock",
                "mcp/time:1",
                "--utc"
            ]
        );
    }

    #[test]
    fn no_entry_can_slip_in_an_option() {
        for image in ["--privileged", "", "a b", "$(x)", "-v"] {
            let run = Run { image: image.to_owned(), network: true, ..Run::default() };
            assert!(matches!(run.way(), Way::Unusable(_)), "{image}");
        }
        let env = vec![("A=B".to_owned(), "x".to_owned())];
        let run = Run { image: "x".to_owned(), env, ..Run::default() };
        assert!(matches!(run.way(), Way::Unusable(_)));
    }
}
