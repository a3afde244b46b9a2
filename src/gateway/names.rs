//! What the tools are called: by their own name, or by `SERVER__tool` where two servers offer the
//! same one.

use std::collections::BTreeMap;

use rmcp::model::Tool;

use crate::remediate::offer::Shared;

/// What stands between the server and the tool.
const BETWEEN: &str = "__";

/// One tool as it is served.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    /// Its name here.
    pub(crate) name: String,
    /// The server that offers it.
    pub(crate) server: String,
    /// As that server offers it.
    pub(crate) offer: Shared,
}

impl Served {
    /// As it is listed: everything the server says of it, its description made safe to show.
    pub(crate) fn tool(&self) -> Tool {
        let mut tool = self.offer.raw.clone();
        tool.name = self.name.clone().into();
        tool.description = Some(self.offer.tool.description.clone().into());
        tool
    }
}

/// All tools under names of which none is given twice, in the order of these.
pub(crate) fn served(offers: Vec<(String, Vec<Shared>)>) -> BTreeMap<String, Served> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for (_, offers) in &offers {
        for offer in offers {
            *count.entry(offer.tool.name.clone()).or_default() += 1;
        }
    }
    let mut all = BTreeMap::new();
    for (server, offers) in offers {
        for offer in offers {
            let bare = offer.tool.name.clone();
            let name = match count.get(&bare) {
                // Neither gets the bare name: nobody shall reach another tool than they mean.
                Some(several) if *several > 1 => format!("{server}{BETWEEN}{bare}"),
                _ => bare,
            };
            // A server may offer what looks like a prefixed name: the first one has it.
            all.entry(name.clone()).or_insert(Served { name, server: server.clone(), offer });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::remediate::offer::Offer;

    fn offer(server: &str, name: &str) -> Shared {
        let tool = Tool::new(name.to_owned(), "says\u{1b}[2J hi", Arc::default());
        Arc::new(Offer::new(server, &tool).unwrap())
    }

    #[test]
    fn only_what_collides_gets_the_servers_name_in_front() {
        let all = served(vec![
            ("a".to_owned(), vec![offer("a", "one"), offer("a", "both")]),
            ("b".to_owned(), vec![offer("b", "both"), offer("b", "two")]),
        ]);
        let names: Vec<&str> = all.keys().map(String::as_str).collect();
        assert_eq!(names, ["a__both", "b__both", "one", "two"]);
        assert_eq!(
            (all["b__both"].server.as_str(), all["b__both"].tool().name.as_ref()),
            ("b", "b__both")
        );
        assert_eq!(all["one"].tool().description.as_deref(), Some("says hi"));
    }
}
