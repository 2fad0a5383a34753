//! `CodeCommit`: identities that touched a repository in the month.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::domain::quantity::{Quantity, Unit};

/// Who touched `CodeCommit`: the identity, and the session name under an assumed role.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Identity {
    /// The IAM user, role or root that AWS names.
    pub principal: String,
    /// The session, which for federated users often is the person.
    pub session: Option<String>,
}

/// Counts active users as a range, because AWS's own answers differ on assumed roles: low counts
/// each role once, high counts each session of it.
pub fn active_users<'a>(seen: impl IntoIterator<Item = &'a Identity>) -> (Quantity, Quantity) {
    let all: BTreeSet<&Identity> = seen.into_iter().collect();
    let principals: BTreeSet<&str> = all
        .iter()
        .map(|identity| identity.principal.as_str())
        .collect();
    let users = |count: usize| Quantity::new(Decimal::from(count), Unit::User);
    (users(principals.len()), users(all.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_with_three_sessions_is_one_to_three_users() {
        let identity = |principal: &str, session: Option<&str>| Identity {
            principal: principal.to_owned(),
            session: session.map(str::to_owned),
        };
        let seen = [
            identity("user/ann", None),
            identity("user/ann", None),
            identity("role/dev", Some("bob")),
            identity("role/dev", Some("cleo")),
            identity("role/dev", Some("dan")),
        ];
        let (low, high) = active_users(&seen);
        assert_eq!(
            (low.value, high.value),
            (Decimal::from(2), Decimal::from(4))
        );
    }
}
