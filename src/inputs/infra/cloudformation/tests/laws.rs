//! A law: three values agree with two.

use proptest::prelude::*;

use super::reading;

/// A condition over three parameters of three values each.
fn condition() -> impl Strategy<Value = String> {
    let equals = (0..3usize, 0..3usize)
        .prop_map(|(one, value)| format!("{{'Fn::Equals': [{{Ref: P{one}}}, v{value}]}}"));
    let same = (0..3usize, 0..3usize)
        .prop_map(|(one, two)| format!("{{'Fn::Equals': [{{Ref: P{one}}}, {{Ref: P{two}}}]}}"));
    prop_oneof![3 => equals, 1 => same].prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner
                .clone()
                .prop_map(|one| format!("{{'Fn::Not': [{one}]}}")),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|all| format!("{{'Fn::And': [{}]}}", all.join(", "))),
            prop::collection::vec(inner, 2..4)
                .prop_map(|all| format!("{{'Fn::Or': [{}]}}", all.join(", "))),
        ]
    })
}

proptest! {
    /// Undecided is exactly what some completions of the unknown parameters make true and others false.
    #[test]
    fn three_values_agree_with_two_for_every_completion(condition in condition(), known in prop::collection::vec(prop::option::of(0..3usize), 3)) {
        let text = format!(
            "Parameters:\n  P0: {{Type: String, AllowedValues: [v0, v1, v2]}}\n  P1: {{Type: String, AllowedValues: [v0, v1, v2]}}\n  P2: {{Type: String, AllowedValues: [v0, v1, v2]}}\nConditions:\n  C: {condition}\nResources:\n  R: {{Type: 'AWS::CodeCommit::Repository', Condition: C}}\n"
        );
        let exists = |values: &[Option<usize>]| {
            let given: Vec<(String, String)> = values.iter().enumerate().filter_map(|(at, value)| Some((format!("P{at}"), format!("v{}", (*value)?)))).collect();
            let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let infra = reading(&text, &given);
            infra.after.first().map(|one| one.exists.is_certain())
        };
        let mut completions = vec![known.clone()];
        for at in 0..3 {
            completions = completions.into_iter().flat_map(|values| {
                let free = values[at].is_none();
                (0..if free { 3 } else { 1 }).map(move |value| {
                    let mut values = values.clone();
                    values[at] = values[at].or(Some(value));
                    values
                })
            }).collect();
        }
        let outcomes: Vec<Option<bool>> = completions.iter().map(|values| exists(values)).collect();
        let all = outcomes.iter().all(|one| *one == Some(true));
        let none = outcomes.iter().all(Option::is_none);
        let expected = if all { Some(true) } else if none { None } else { Some(false) };
        prop_assert_eq!(exists(&known), expected);
    }
}
