//! What stood at a place of a template that varies, as it is written out.

use sentinel_core::detect::miner::number::Unit;
use sentinel_core::detect::miner::slots::Place;
use sentinel_core::detect::miner::values::Values;
use serde::Serialize;

use crate::commands::patterns::tally::Tally;

/// One place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlaceRow {
    /// Which word or mark of the template it is, from 0.
    pub position: u8,
    /// Its numbers, if it held any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumbersRow>,
    /// Its different values, as long as they are few (at most eight), redacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ValueRow>,
}

/// The numbers of a place: of about the last 4,000, to about 20 %.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NumbersRow {
    /// `bytes`, `seconds`, `percent` or `none`; the sizes are in this unit.
    pub unit: &'static str,
    /// How many there were.
    pub count: u64,
    /// The median size.
    pub p50: f64,
    /// The size that 99 of 100 do not exceed.
    pub p99: f64,
}

/// One of few values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValueRow {
    /// The value.
    pub value: String,
    /// How often it came since the place was followed.
    pub count: u32,
}

impl PlaceRow {
    /// `None` if nothing is to be said of it: neither numbers nor few values.
    pub fn of(place: &Place, tally: &Tally) -> Option<Self> {
        let numbers = place.numbers.as_deref().filter(|n| n.count() > 0).map(|n| NumbersRow {
            unit: unit(n.unit),
            count: n.count(),
            p50: rounded(n.median()),
            p99: rounded(n.quantile(0.99)),
        });
        let known = place.values.as_deref().map(Values::known).unwrap_or_default();
        let values: Option<Vec<ValueRow>> = known
            .iter()
            .map(|(hash, count)| Some(ValueRow { value: tally.value(*hash)?, count: *count }))
            .collect();
        let row = Self { position: place.position, numbers, values: values.unwrap_or_default() };
        (row.numbers.is_some() || !row.values.is_empty()).then_some(row)
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::None => "none",
        Unit::Bytes => "bytes",
        Unit::Seconds => "seconds",
        Unit::Percent => "percent",
    }
}

/// To three digits: more would be a precision that is not there.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powf(2.0 - value.abs().log10().floor());
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_left() {
        for (value, expected) in
            [(0.0, 0.0), (1234.5, 1230.0), (0.001_234, 0.001_23), (-7.777, -7.78), (5e9, 5e9)]
        {
            assert!((rounded(value) - expected).abs() <= expected.abs() * 1e-9, "{value}");
        }
    }
}
