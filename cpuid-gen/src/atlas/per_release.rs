//! One value for each release, as compact JSON, which the page expands.

use serde_json::Value;

/// A value for each release: a single value if all are equal, otherwise an array in the order of the releases.
pub(super) fn per_release(values: impl IntoIterator<Item = Value>) -> Value {
    let values: Vec<Value> = values.into_iter().collect();
    match values.split_first() {
        Some((first, rest)) if rest.iter().all(|value| value == first) => first.clone(),
        _ => Value::Array(values),
    }
}

/// A text for each release.
pub(super) fn texts<'t>(values: impl IntoIterator<Item = Option<&'t str>>) -> Value {
    per_release(values.into_iter().map(Value::from))
}
