//! CloudTrail: which identities touched `CodeCommit`. Its events repeat whole requests; only who
//! and when go any further.

use aws_sdk_cloudtrail::{
    Client,
    types::{Event, LookupAttribute, LookupAttributeKey},
};
use aws_smithy_types::DateTime as SdkTime;
use chrono::{DateTime, Days, Utc};
use serde::Deserialize;

use super::{
    accounts::Account,
    error::Failure,
    listing::{Page, by_windows},
    operations::Operation,
    pages::Pages,
    run::Run,
    time,
};
use crate::{
    domain::{
        collection::Source,
        metering::{codecommit::Identity, from_events::AccountRegion},
    },
    ledger::{Fact, Listing},
};

/// How far back events can be looked up.
const DAYS_KEPT: u64 = 90;

/// Collects the identities that touched `CodeCommit`.
pub(super) async fn identities(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
) -> Result<(), Failure> {
    let client = &Client::new(&account.in_region(&place.region));
    let scope = run.begin(place, Source::Identities)?;
    let fetch =
        async |_: &Listing, (from, until): (DateTime<Utc>, DateTime<Utc>), pages: &Pages| {
            let attribute = LookupAttribute::builder()
                .attribute_key(LookupAttributeKey::EventSource)
                .attribute_value("codecommit.amazonaws.com")
                .build()
                .expect("key and value are set");
            let request = client
                .lookup_events()
                .lookup_attributes(attribute)
                .start_time(SdkTime::from_millis(from.timestamp_millis()))
                .end_time(SdkTime::from_millis(until.timestamp_millis()))
                .max_results(50)
                .set_next_token(pages.token());
            let answer = run
                .ask_page(place, Operation::LookupEvents, pages, request.send())
                .await?;
            Ok(Page {
                facts: answer.events().iter().filter_map(seen_from_sdk).collect(),
                next: answer.next_token,
                ..Page::default()
            })
        };
    let (from, _) = run.days();
    let kept = run.today() - Days::new(DAYS_KEPT);
    let wanted = run.first_millisecond().max(
        kept.and_hms_opt(0, 0, 0)
            .expect("midnight exists")
            .and_utc()
            .timestamp_millis(),
    );
    by_windows(run, &scope, Operation::LookupEvents, wanted, fetch).await?;
    run.end(&scope, true, from.max(kept))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    user_identity: UserIdentity,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct UserIdentity {
    arn: Option<String>,
    account_id: Option<String>,
    r#type: Option<String>,
    invoked_by: Option<String>,
    session_context: Option<SessionContext>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct SessionContext {
    session_issuer: Option<SessionIssuer>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct SessionIssuer {
    arn: Option<String>,
}

/// Translates an event into who was there, and on which day.
fn seen_from_sdk(event: &Event) -> Option<Fact> {
    let day = time(event.event_time())?.date_naive();
    let identity = match event
        .cloud_trail_event()
        .and_then(|json| serde_json::from_str::<Record>(json).ok())
    {
        Some(record) => identity(&record.user_identity),
        None => event.username().map(|name| Identity {
            principal: name.to_owned(),
            session: None,
        }),
    }?;
    Some(Fact::Identity(day, identity))
}

fn identity(user: &UserIdentity) -> Option<Identity> {
    let issuer = user
        .session_context
        .as_ref()
        .and_then(|context| context.session_issuer.as_ref())
        .and_then(|issuer| issuer.arn.clone());
    let session = user
        .arn
        .as_deref()
        .and_then(|arn| arn.rsplit_once('/'))
        .map(|(_, session)| session.to_owned());
    match (issuer, &user.arn) {
        (Some(role), _) => Some(Identity {
            principal: role,
            session,
        }),
        (None, Some(arn)) => Some(Identity {
            principal: arn.clone(),
            session: None,
        }),
        (None, None) => {
            let who = user.invoked_by.as_ref().or(user.account_id.as_ref());
            who.or(user.r#type.as_ref()).map(|who| Identity {
                principal: who.clone(),
                session: None,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_told_from_its_role() {
        let event = |json: &str| {
            Event::builder()
                .event_time(SdkTime::from_secs(1_793_000_000))
                .cloud_trail_event(json)
                .build()
        };
        let role = event(
            r#"{"userIdentity":{"type":"AssumedRole",
                "arn":"arn:aws:sts::111111111111:assumed-role/dev/ann",
                "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111111111111:role/dev"}}},
                "requestParameters":{"secret":"never"}}"#,
        );
        let Some(Fact::Identity(_, identity)) = seen_from_sdk(&role) else {
            panic!("an identity");
        };
        assert_eq!(identity.principal, "arn:aws:iam::111111111111:role/dev");
        assert_eq!(identity.session.as_deref(), Some("ann"));
        let user = event(
            r#"{"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111111111111:user/bob"}}"#,
        );
        let Some(Fact::Identity(_, identity)) = seen_from_sdk(&user) else {
            panic!("an identity");
        };
        assert_eq!(identity.principal, "arn:aws:iam::111111111111:user/bob");
        assert_eq!(identity.session, None);
    }
}
