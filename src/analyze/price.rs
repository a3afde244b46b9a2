//! What a call costs, as far as that is known.

use std::collections::BTreeMap;

use crate::config::models::Price;

/// Prices by model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    /// USD for a million tokens, by the model's id.
    pub models: BTreeMap<String, Price>,
}

impl Prices {
    /// The cost in USD; `None` where the model has no price.
    pub fn cost(&self, model: &str, prompt_tokens: u64, completion_tokens: u64) -> Option<f64> {
        self.models.get(model).map(|price| price.of(prompt_tokens, completion_tokens))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_without_a_price_has_no_cost() {
        let price = Price { prompt: 0.5, completion: 2.0 };
        let prices = Prices { models: BTreeMap::from([("a".to_owned(), price)]) };
        assert_eq!(prices.cost("a", 1_000_000, 500_000), Some(1.5));
        assert_eq!(prices.cost("b", 1, 1), None);
    }
}
