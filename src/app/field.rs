//! What an error is about: a field of the request. A front knows what its user calls it.

/// A field of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// Users of CodeCommit.
    ActiveUsers,
    /// The past months, or those to come; what is checked.
    Against,
    /// What is turned over a range.
    Axis,
    /// What is turned until a scenario pays.
    BreakEven,
    /// Builds of a compute type.
    Builds,
    /// A change of a scenario.
    Change,
    /// The currency of a bill, or the one that amounts are converted into.
    Currency,
    /// Where usage is recorded: the sample organization.
    DataSource,
    /// A report definition.
    Definition,
    /// A discount.
    Discount,
    /// The day of the rate that amounts are converted at.
    ExchangeDate,
    /// The rate that amounts are converted at.
    ExchangeRate,
    /// Who states the rate.
    ExchangeSource,
    /// Where an export lies.
    Export,
    /// What the owner of a role wants to hear.
    ExternalId,
    /// The first month or day.
    From,
    /// Free units that something else drew.
    FreeTierUsed,
    /// The plan at GitHub.
    GithubPlan,
    /// Git requests.
    GitRequests,
    /// A service to keep in detail, too.
    Include,
    /// Usage of any meter.
    Meter,
    /// The month.
    Month,
    /// A service, a meter or a compute type.
    Name,
    /// Updates of on-premises instances.
    OnPremisesUpdates,
    /// A parameter of a template.
    Parameter,
    /// A price of one's own.
    Price,
    /// The region whose prices stand in for unknown ones.
    PriceLike,
    /// A project.
    Project,
    /// Usage of a project or a pipeline.
    ProjectUsage,
    /// The region.
    Region,
    /// Who pays for reading a bucket.
    RequesterPays,
    /// A role of another account.
    Role,
    /// The service.
    Service,
    /// The services to collect from.
    Services,
    /// How fast builds run elsewhere.
    Speed,
    /// What repositories hold.
    StorageGb,
    /// How far drivers are turned.
    Swing,
    /// V1 pipelines.
    V1Pipelines,
    /// V1 pipelines in their first days.
    V1TrialPipelines,
    /// V2 action minutes.
    V2ActionMinutes,
    /// Whether AWS's own forecast stands beside.
    WithAws,
}
