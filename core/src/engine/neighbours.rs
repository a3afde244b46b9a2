//! Whether something was changed next to a container a moment ago.

use jiff::Timestamp;

use crate::domain::ids::ContainerId;
use crate::engine::Engine;

impl Engine {
    /// What was changed next to `target` so lately that nobody has seen yet what it does: a
    /// neighbour is one that it needs or that needs it, and lately is within the time for which
    /// every check must hold after a fix.
    pub(crate) fn neighbour_changed(
        &mut self,
        target: &ContainerId,
        now: Timestamp,
    ) -> Option<String> {
        let name = self.world.containers.get(target)?.container.of.name.clone();
        let edges = self.edges();
        let hold = self.settings.verify_hold;
        let lately =
            |at: Option<Timestamp>| at.is_some_and(|at| now.duration_since(at) < hold && at <= now);
        edges
            .iter()
            .filter_map(|edge| match (edge.from == name, edge.to == name) {
                (true, false) => Some(&edge.to),
                (false, true) => Some(&edge.from),
                _ => None,
            })
            .find_map(|neighbour| {
                let facts = self.world.by_name(neighbour)?;
                if lately(self.brakes.last_act(neighbour)) {
                    Some(format!("{neighbour}, next to {name}, was changed a moment ago"))
                } else if lately(facts.worked_on_at) {
                    Some(format!("an operator works on {neighbour}, next to {name}"))
                } else {
                    None
                }
            })
    }
}
