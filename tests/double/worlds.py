"""Worlds for the double: what an account has and did, as AWS would tell it.

The totals that follow from the world `small` are worked out by hand in `expected.csv`.
"""
import datetime
from collections import namedtuple
from decimal import Decimal

from metrics import metric_data

Caller = namedtuple("Caller", "account region")

# Every free text of every answer carries this. It must never leave the collector.
SECRET = "PLANTED-SECRET"


def at(text):
    """Epoch seconds of a UTC time."""
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()


def build(project, number, submitted, queued, seconds, kind, compute, account="111111111111", region="us-east-1", **more):
    start = submitted if isinstance(submitted, (int, float)) else at(submitted)
    provisioned = start + queued
    end = round(provisioned + seconds, 3) if seconds is not None else None
    phases = [
        {"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED", "startTime": start, "endTime": start, "durationInSeconds": 0},
        {"phaseType": "QUEUED", "phaseStatus": "SUCCEEDED", "startTime": start, "endTime": provisioned,
         "durationInSeconds": int(queued)},
        {"phaseType": "PROVISIONING", "startTime": provisioned,
         "contexts": [{"statusCode": SECRET, "message": SECRET}]},
    ]
    environment = {
        "type": kind, "computeType": compute, "image": SECRET, "privilegedMode": False,
        "environmentVariables": [{"name": "TOKEN", "value": SECRET, "type": "PLAINTEXT"}],
    }
    if "fleet" in more:
        environment["fleet"] = {"fleetArn": more["fleet"]}
    if "docker" in more:
        environment["dockerServer"] = {"computeType": more["docker"], "status": {"status": SECRET, "message": SECRET}}
    result = {
        "id": f"{project}:{number:08d}-0000-4000-8000-000000000000",
        "arn": f"arn:aws:codebuild:{region}:{account}:build/{project}:{number:08d}-0000-4000-8000-000000000000",
        "buildNumber": number, "startTime": start, "projectName": project,
        "currentPhase": "COMPLETED" if seconds is not None else "BUILD",
        "buildStatus": "SUCCEEDED" if seconds is not None else "IN_PROGRESS",
        "buildComplete": seconds is not None, "phases": phases, "environment": environment,
        "sourceVersion": SECRET, "resolvedSourceVersion": SECRET, "serviceRole": SECRET,
        "source": {"type": "GITHUB", "location": f"https://{SECRET}@example.com/x.git", "buildspec": SECRET},
        "logs": {"groupName": SECRET, "streamName": SECRET, "deepLink": SECRET},
        "exportedEnvironmentVariables": [{"name": "A", "value": SECRET}],
        "initiator": more.get("initiator", SECRET), "encryptionKey": SECRET,
        "debugSession": {"sessionEnabled": False, "sessionTarget": SECRET},
    }
    if end is not None:
        result["endTime"] = end
    if "batch" in more:
        result["buildBatchArn"] = more["batch"]
    return result


def project(name):
    """A project as it is read. `api` runs the jobs of GitHub Actions, `web` builds what is pushed."""
    result = {
        "name": name, "arn": f"arn:aws:codebuild:us-east-1:111111111111:project/{name}", "description": SECRET,
        "source": {"type": "GITHUB", "location": f"https://{SECRET}@example.com/x.git", "buildspec": SECRET},
        "environment": {"type": "LINUX_CONTAINER", "computeType": "BUILD_GENERAL1_SMALL", "image": SECRET,
                        "environmentVariables": [{"name": "TOKEN", "value": SECRET, "type": "PLAINTEXT"}]},
        "serviceRole": SECRET, "encryptionKey": SECRET, "created": at("2026-01-01T00:00:00"),
    }
    events = {"api": "WORKFLOW_JOB_QUEUED", "web": "PUSH, PULL_REQUEST_CREATED"}.get(name)
    if events:
        result["webhook"] = {"url": f"https://example.com/{SECRET}", "payloadUrl": f"https://example.com/{SECRET}",
                             "secret": SECRET, "buildType": "BUILD",
                             "filterGroups": [[{"type": "EVENT", "pattern": events, "excludeMatchedPattern": False},
                                               {"type": "HEAD_REF", "pattern": SECRET}]]}
    return result


def execution(number, started, revision, status="Succeeded", **more):
    start = started if isinstance(started, (int, float)) else at(started)
    result = {
        "pipelineExecutionId": f"{number:08d}-0000-4000-8000-000000000000", "status": status,
        "statusSummary": SECRET, "startTime": start, "lastUpdateTime": start + 300.0,
        "trigger": {"triggerType": "Webhook", "triggerDetail": SECRET},
        "executionMode": "SUPERSEDED", "executionType": "STANDARD",
    }
    if revision:
        result["sourceRevisions"] = [{"actionName": "Source", "revisionId": f"{revision}-{SECRET}",
                                      "revisionSummary": SECRET, "revisionUrl": f"https://example.com/{SECRET}"}]
    result.update(more)
    return result


def action(number, started, seconds, category, owner="AWS", status="Succeeded", provider="CodeBuild"):
    start = started if isinstance(started, (int, float)) else at(started)
    return {
        "pipelineExecutionId": "00000001-0000-4000-8000-000000000000",
        "actionExecutionId": f"{number:08d}-1111-4000-8000-000000000000", "pipelineVersion": 1,
        "stageName": "Stage", "actionName": "Action", "startTime": start,
        "lastUpdateTime": round(start + seconds, 3), "updatedBy": SECRET, "status": status,
        "input": {
            "actionTypeId": {"category": category, "owner": owner, "provider": provider, "version": "1"},
            "configuration": {"EnvironmentVariables": SECRET}, "resolvedConfiguration": {"X": SECRET},
            "region": "us-east-1", "roleArn": "arn:aws:iam::111111111111:role/x", "namespace": "N",
        },
        "output": {"outputVariables": {"X": SECRET},
                   "executionResult": {"externalExecutionId": SECRET, "externalExecutionSummary": SECRET,
                                       "externalExecutionUrl": f"https://example.com/{SECRET}"}},
    }


def sandbox(project, number, started, seconds, **more):
    start = at(started)
    environment = {"type": "LINUX_CONTAINER", "computeType": "BUILD_GENERAL1_SMALL", "image": SECRET,
                   "environmentVariables": [{"name": "TOKEN", "value": SECRET, "type": "PLAINTEXT"}]}
    if "fleet" in more:
        environment["fleet"] = {"fleetArn": more["fleet"]}
    result = {"id": f"{project}:{number:08d}-2222-4000-8000-000000000000", "arn": f"arn:aws:codebuild:us-east-1:111111111111:sandbox/{project}:{number}",
              "projectName": project, "requestTime": start - 7.0, "startTime": start, "status": "STOPPED" if seconds else "READY",
              "source": {"type": "GITHUB", "location": f"https://{SECRET}@example.com/x.git", "buildspec": SECRET},
              "sourceVersion": SECRET, "serviceRole": SECRET, "encryptionKey": SECRET, "environment": environment,
              "currentSession": {"id": "s", "status": "STOPPED", "logs": {"groupName": SECRET}, "resolvedSourceVersion": SECRET}}
    if seconds is not None:
        result["endTime"] = round(start + seconds, 3)
    return result


def pipeline(name, kind, created):
    result = {"name": name, "version": 1, "executionMode": "SUPERSEDED", "created": at(created), "updated": at(created)}
    if kind:
        result["pipelineType"] = kind
    return result


def target(deployment, name, status, when, on_premises=True):
    arn = (f"arn:aws:codedeploy:us-east-1:111111111111:instance/{name}" if on_premises
           else f"arn:aws:ec2:us-east-1:111111111111:instance/{name}")
    return {"deploymentTargetType": "InstanceTarget",
            "instanceTarget": {"deploymentId": deployment, "targetId": name, "targetArn": arn, "status": status,
                               "lastUpdatedAt": at(when),
                               "lifecycleEvents": [{"lifecycleEventName": "Install",
                                                    "diagnostics": {"message": SECRET, "logTail": SECRET}}]}}


def deployment(number, platform, created, status="Succeeded"):
    return {"deploymentId": f"d-{number:09d}", "applicationName": "shop", "deploymentGroupName": "all",
            "computePlatform": platform, "status": status, "createTime": at(created), "description": SECRET,
            "errorInformation": {"code": "HEALTH_CONSTRAINTS", "message": SECRET},
            "revision": {"revisionType": "GitHub", "gitHubLocation": {"repository": SECRET, "commitId": SECRET}}}


def event(number, when, identity):
    import json
    return {"EventId": f"e{number}", "EventName": "GitPush", "EventTime": at(when), "ReadOnly": "false",
            "AccessKeyId": SECRET, "EventSource": "codecommit.amazonaws.com", "Username": SECRET,
            "Resources": [{"ResourceType": "x", "ResourceName": SECRET}],
            "CloudTrailEvent": json.dumps({"eventVersion": "1.08", "userIdentity": identity,
                                           "requestParameters": {"commitMessage": SECRET},
                                           "additionalEventData": {"x": SECRET}})}


def user(name):
    return {"type": "IAMUser", "arn": f"arn:aws:iam::111111111111:user/{name}", "accessKeyId": SECRET}


def session(role, name):
    return {"type": "AssumedRole", "arn": f"arn:aws:sts::111111111111:assumed-role/{role}/{name}",
            "accessKeyId": SECRET,
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::111111111111:role/{role}"},
                               "attributes": {"mfaAuthenticated": "false"}}}


# --- Cost Explorer: a small engine of its own over charges ------------------------------------------------------------
Charge = namedtuple("Charge", "day account service usage_type record cost quantity unit")


def matches(expression, charge):
    if not expression:
        return True
    if "And" in expression:
        return all(matches(inner, charge) for inner in expression["And"])
    if "Or" in expression:
        return any(matches(inner, charge) for inner in expression["Or"])
    if "Not" in expression:
        return not matches(expression["Not"], charge)
    dimension = expression["Dimensions"]
    return dimension_of(dimension["Key"], charge) in dimension["Values"]


def dimension_of(key, charge):
    return {"SERVICE": charge.service, "USAGE_TYPE": charge.usage_type, "RECORD_TYPE": charge.record,
            "LINKED_ACCOUNT": charge.account}[key]


def cost_and_usage(charges, estimated_from, days_a_page):
    def monthly(first, end):
        results = []
        while first < end:
            after = (first.replace(day=1) + datetime.timedelta(32)).replace(day=1)
            cost = sum(Decimal(c.cost) for c in charges if first.isoformat() <= c.day < after.isoformat())
            results.append({"TimePeriod": {"Start": first.isoformat(), "End": min(after, end).isoformat()},
                            "Total": {"UnblendedCost": {"Amount": str(cost), "Unit": "USD"}}, "Groups": [],
                            "Estimated": False})
            first = after
        return {"ResultsByTime": results, "DimensionValueAttributes": []}

    def answer(request, caller):
        first = datetime.date.fromisoformat(request["TimePeriod"]["Start"])
        end = datetime.date.fromisoformat(request["TimePeriod"]["End"])
        assert first < end
        if request["Granularity"] == "MONTHLY":
            return monthly(first, end)
        keys = [group["Key"] for group in request["GroupBy"]]
        results = []
        day = first
        while day < end:
            groups = {}
            for charge in charges:
                if charge.day == day.isoformat() and matches(request.get("Filter"), charge):
                    at_key = tuple(dimension_of(key, charge) for key in keys)
                    cost, quantity, _ = groups.get(at_key, (Decimal(0), Decimal(0), ""))
                    groups[at_key] = (cost + Decimal(charge.cost), quantity + Decimal(charge.quantity), charge.unit)
            results.append({
                "TimePeriod": {"Start": day.isoformat(), "End": (day + datetime.timedelta(1)).isoformat()},
                "Total": {},
                "Groups": [{"Keys": list(key), "Metrics": {
                    "UnblendedCost": {"Amount": str(cost), "Unit": "USD"},
                    "UsageQuantity": {"Amount": str(quantity), "Unit": unit or "N/A"}}}
                    for key, (cost, quantity, unit) in sorted(groups.items())],
                "Estimated": day.isoformat() >= estimated_from,
            })
            day += datetime.timedelta(1)
        start = int(request["NextPageToken"][1:]) if "NextPageToken" in request else 0
        part = results[start:start + days_a_page]
        page = {"GroupDefinitions": request["GroupBy"], "ResultsByTime": part, "DimensionValueAttributes": []}
        if start + days_a_page < len(results):
            page["NextPageToken"] = f"p{start + days_a_page}"
        return page
    return answer


def cost_forecast(charges, today):
    """Every day is expected to cost a hundredth of what was charged in all."""
    def answer(request, caller):
        first = datetime.date.fromisoformat(request["TimePeriod"]["Start"])
        end = datetime.date.fromisoformat(request["TimePeriod"]["End"])
        assert first < end and first.isoformat() <= today, "AWS forecasts from today on"
        assert request["Metric"] == "UNBLENDED_COST" and request["PredictionIntervalLevel"] == 80
        a_day = sum(Decimal(c.cost) for c in charges if matches(request["Filter"], c)) / 100
        results, total = [], Decimal(0)
        while first < end:
            after = first + datetime.timedelta(1)
            if request["Granularity"] == "MONTHLY":
                after = min((first.replace(day=1) + datetime.timedelta(32)).replace(day=1), end)
            mean = a_day * (after - first).days
            results.append({"TimePeriod": {"Start": first.isoformat(), "End": after.isoformat()}, "MeanValue": str(mean),
                            "PredictionIntervalLowerBound": str(mean * Decimal("0.8")),
                            "PredictionIntervalUpperBound": str(mean * Decimal("1.2"))})
            total, first = total + mean, after
        return {"Total": {"Amount": str(total), "Unit": "USD"}, "ForecastResultsByTime": results}
    return answer


def get_products(request, caller):
    """The bulk price list, product by product, as the Query API has it."""
    import json
    wanted = {f["Value"] for f in request.get("Filters", []) if f["Field"] == "regionCode"}
    found = []
    for path, text in sorted(offers().items()):
        if path.startswith("/offers/v1.0/aws/") and path.endswith("/index.json"):
            offer = json.loads(text)
            for sku, product in offer["products"].items():
                if offer["offerCode"] == request["ServiceCode"] and (
                        not wanted or product["attributes"]["regionCode"] in wanted):
                    found.append(json.dumps({"product": product, "serviceCode": offer["offerCode"], "version": "1",
                                             "publicationDate": offer["publicationDate"],
                                             "terms": {"OnDemand": offer["terms"]["OnDemand"][sku]}}))
    return "PriceList", found, 2


# --- Answers ---------------------------------------------------------------------------------------------------------
def answers(data):
    """Answers to every operation that the collector may call, from what an account has."""
    def here(name, caller):
        return data(caller).get(name, {} if name in ("executions", "actions", "targets") else [])

    def builds_of(request, caller):
        project = request["projectName"]
        if project not in here("projects", caller):
            raise_not_found()
        mine = [b for b in here("builds", caller) if b["projectName"] == project]
        return "ids", [b["id"] for b in sorted(mine, key=lambda b: -b["buildNumber"])], 100

    def projects(request, caller):
        there = here("projects", caller)
        found = [project(name) for name in request["names"] if name in there]
        lost = [name for name in request["names"] if name not in there]
        return {"projects": found, **({"projectsNotFound": lost} if lost else {})}

    def all_builds(request, caller):
        # AWS documents the order as that of the ids.
        mine = sorted((b["id"] for b in here("builds", caller)), reverse=request.get("sortOrder") == "DESCENDING")
        return "ids", mine, 100

    def raise_not_found():
        from __main__ import Refused
        raise Refused("ResourceNotFoundException", "no such project")

    def batch(name, key, asked, missing):
        def answer(request, caller):
            known = {item[key]: item for item in here(name[0], caller)}
            found = [known[i] for i in request[asked] if i in known]
            result = {name[1]: found} if found else {}
            lost = [i for i in request[asked] if i not in known]
            if missing and lost:
                result[missing] = lost
            return result
        return answer

    def deployments(request, caller):
        span = request.get("createTimeRange", {"start": 0, "end": 10**11})
        mine = [d for d in here("deployments", caller) if span["start"] <= d["createTime"] < span["end"]]
        return "deployments", [d["deploymentId"] for d in mine], 100

    def targets(request, caller):
        mine = here("targets", caller).get(request["deploymentId"], [])
        return "targetIds", [t["instanceTarget"]["targetId"] for t in mine], 2

    def batch_targets(request, caller):
        mine = here("targets", caller).get(request["deploymentId"], [])
        return {"deploymentTargets": [t for t in mine if t["instanceTarget"]["targetId"] in request["targetIds"]]}

    def events(request, caller):
        for attribute in request.get("LookupAttributes", []):
            assert attribute == {"AttributeKey": "EventSource", "AttributeValue": "codecommit.amazonaws.com"}
        first, last = request.get("StartTime", 0), request.get("EndTime", 10**11)
        mine = [e for e in here("events", caller) if first <= e["EventTime"] <= last]
        return "Events", sorted(mine, key=lambda e: -e["EventTime"]), 50

    newest = lambda items: sorted(items, key=lambda e: -e["startTime"])
    return {
        "codebuild.ListProjects": lambda r, c: ("projects", here("projects", c), 100),
        "codebuild.BatchGetProjects": projects,
        "codebuild.ListBuildsForProject": builds_of,
        "codebuild.ListBuilds": all_builds,
        "codebuild.ListSandboxes": lambda r, c: ("ids", [s["id"] for s in here("sandboxes", c)], 100),
        "codebuild.BatchGetSandboxes": batch(("sandboxes", "sandboxes"), "id", "ids", "sandboxesNotFound"),
        "codebuild.BatchGetBuilds": batch(("builds", "builds"), "id", "ids", "buildsNotFound"),
        "codebuild.ListFleets": lambda r, c: ("fleets", [f["arn"] for f in here("fleets", c)], 100),
        "codebuild.BatchGetFleets": batch(("fleets", "fleets"), "arn", "names", "fleetsNotFound"),
        "codepipeline.ListPipelines": lambda r, c: ("pipelines", here("pipelines", c), 1000),
        "codepipeline.ListPipelineExecutions": lambda r, c: (
            "pipelineExecutionSummaries", newest(here("executions", c).get(r["pipelineName"], [])), 100),
        "codepipeline.ListActionExecutions": lambda r, c: (
            "actionExecutionDetails", newest(here("actions", c).get(r["pipelineName"], [])), 100),
        "codedeploy.ListDeployments": deployments,
        "codedeploy.BatchGetDeployments": batch(("deployments", "deploymentsInfo"), "deploymentId", "deploymentIds", None),
        "codedeploy.ListDeploymentTargets": targets,
        "codedeploy.BatchGetDeploymentTargets": batch_targets,
        "cloudtrail.LookupEvents": events,
        "codecommit.ListRepositories": lambda r, c: ("repositories", here("repositories", c), 1000),
        "organizations.ListAccounts": lambda r, c: ("Accounts", here("accounts", c), 2),
    }


# What builds of more than a minute used, by project and day: CPU and memory as average and maximum, the largest
# share of memory, and the number of values.
MEASURED = {
    ("web", "2026-10-05"): ((25.5, 61.3), (812.25, 1400), 46.7, 4),
    ("web", "2026-10-06"): ((31, 99.9), (900, 1536.5), 51.2, 2),
    ("api", "2026-10-07"): ((88.125, 100), (11200, 15300), 93.4, 10),
}


def measured(values):
    """One value of CloudWatch."""
    def value(caller, dimensions, metric, statistic, second):
        day = datetime.datetime.fromtimestamp(second, datetime.timezone.utc).date().isoformat()
        found = values.get((dimensions.get("ProjectName"), day))
        if caller.region != "us-east-1" or set(dimensions) != {"ProjectName"} or not found:
            return None
        cpu, memory, percent, count = found
        both = {"CPUUtilizedPercent": cpu, "MemoryUtilized": memory, "MemoryUtilizedPercent": (percent - 5, percent)}[metric]
        return {"Average": both[0], "Maximum": both[1], "SampleCount": count}[statistic]
    return value


FLEET = "arn:aws:codebuild:us-east-1:111111111111:fleet/big:00000000-0000-4000-8000-000000000000"


def small(later=False):
    builds = [
        build("web", 1, "2026-10-05T10:00:00", 5, 60.0, "LINUX_CONTAINER", "BUILD_GENERAL1_SMALL",
              initiator="codepipeline/release"),
        build("web", 2, "2026-10-05T11:00:00", 5, 60.001, "LINUX_CONTAINER", "BUILD_GENERAL1_SMALL",
              initiator="codepipeline/release"),
        build("web", 3, "2026-10-06T10:00:00", 2, 61.5, "LINUX_CONTAINER", "BUILD_GENERAL1_SMALL"),
        build("api", 1, "2026-10-07T10:00:00", 10, 600.0, "ARM_CONTAINER", "BUILD_GENERAL1_LARGE"),
        build("api", 2, "2026-10-08T10:00:00", 0.5, 12.3, "ARM_LAMBDA_CONTAINER", "BUILD_LAMBDA_1GB"),
        build("api", 3, "2026-10-09T10:00:00", 3, 59.9, "LINUX_CONTAINER", "BUILD_GENERAL1_MEDIUM",
              batch="arn:aws:codebuild:us-east-1:111111111111:build-batch/api:1"),
        build("api", 4, "2026-10-09T10:00:00", 3, 59.9, "LINUX_CONTAINER", "BUILD_GENERAL1_MEDIUM",
              batch="arn:aws:codebuild:us-east-1:111111111111:build-batch/api:1"),
        build("api", 5, "2026-10-10T10:00:00", 3, 300.0, "LINUX_CONTAINER", "BUILD_GENERAL1_LARGE", fleet=FLEET),
        build("api", 6, "2026-11-03T10:00:00", 1, 0.5, "ARM_CONTAINER", "BUILD_GENERAL1_LARGE"),
        # Its project was deleted: only the list of all builds has it.
        build("gone", 1, "2026-10-12T10:00:00", 4, 130.0, "LINUX_CONTAINER", "BUILD_GENERAL1_MEDIUM",
              docker="BUILD_GENERAL1_LARGE"),
    ]
    sandboxes = [sandbox("web", 1, "2026-10-15T10:00:00", 1800.2), sandbox("web", 2, "2026-10-16T10:00:00", 60.0, fleet=FLEET)]
    executions = {
        "release": [execution(1, "2026-09-30T09:00:00", "A"), execution(2, "2026-10-05T09:59:00", "B"),
                    execution(3, "2026-10-06T09:59:00", "B")],
        "legacy": [execution(4, "2026-09-15T09:00:00", "A"), execution(5, "2026-10-10T09:00:00", "A")],
        "fresh": [execution(6, "2026-10-25T09:00:00", "X")],
        "modern": [execution(7, "2026-10-05T09:00:00", "M")],
    }
    actions = {"modern": [
        action(1, "2026-10-05T09:00:00", 2.5, "Source", provider="CodeStarSourceConnection"),
        action(2, "2026-10-05T09:01:00", 61.0, "Build"),
        action(3, "2026-10-05T09:03:00", 3600.0, "Approval", provider="Manual"),
        action(4, "2026-10-05T10:03:00", 100.0, "Test", owner="Custom", provider="Own"),
        action(5, "2026-10-05T10:05:00", 120.0, "Deploy", provider="CodeDeploy"),
        action(6, "2026-10-31T23:59:30", 90.5, "Build"),
        action(7, "2026-10-05T10:08:00", 70.0, "Compute", provider="Commands"),
    ]}
    deployments = [deployment(1, "Server", "2026-10-11T10:00:00"), deployment(2, "Lambda", "2026-10-12T10:00:00")]
    targets = {"d-000000001": [
        target("d-000000001", "onprem-1", "Succeeded", "2026-10-11T10:05:00"),
        target("d-000000001", "onprem-2", "Failed", "2026-10-11T10:05:00"),
        target("d-000000001", "onprem-3", "Skipped", "2026-10-11T10:05:00"),
        target("d-000000001", "i-0123456789abcdef0", "Succeeded", "2026-10-11T10:05:00", on_premises=False),
    ]}
    events = [event(1, "2026-10-02T10:00:00", user("bob")), event(2, "2026-10-03T10:00:00", user("bob")),
              event(3, "2026-10-04T10:00:00", session("dev", "ann")),
              event(4, "2026-10-05T10:00:00", session("dev", "cleo"))]
    if later:
        # The project `web` is deleted, after one more build.
        builds.append(build("web", 4, "2026-10-20T10:00:00", 5, 30.0, "LINUX_CONTAINER", "BUILD_GENERAL1_SMALL"))
    accounts = [{"Id": f"{n}" * 12, "Arn": f"arn:aws:organizations::111111111111:account/o-exampleorgid/{str(n) * 12}",
                 "Email": "a@example.com", "Name": "planted", "Status": "ACTIVE", "State": "ACTIVE",
                 "JoinedMethod": "CREATED"} for n in (1, 2, 3)]
    main = {
        "projects": ["api", "idle"] if later else ["web", "api", "idle"], "builds": builds, "sandboxes": sandboxes,
        "pipelines": [pipeline("release", "V1", "2026-08-01T00:00:00"), pipeline("legacy", "V1", "2026-01-01T00:00:00"),
                      pipeline("fresh", "V1", "2026-10-20T00:00:00"), pipeline("stale", None, "2026-01-01T00:00:00"),
                      pipeline("modern", "V2", "2026-08-01T00:00:00")],
        "executions": executions, "actions": actions, "deployments": deployments, "targets": targets,
        "events": events, "repositories": [{"repositoryName": "r", "repositoryId": "0" * 36}], "accounts": accounts,
        "fleets": [{"arn": FLEET, "name": "big", "created": at("2026-10-01T00:00:00"),
                    "lastModified": at("2026-11-20T00:00:00"), "baseCapacity": 2, "environmentType": "LINUX_CONTAINER",
                    "computeType": "BUILD_GENERAL1_LARGE", "overflowBehavior": "QUEUE",
                    "status": {"statusCode": "ACTIVE", "message": SECRET}, "imageId": SECRET}],
    }
    member = {"projects": ["lib"], "builds": [
        build("lib", 1, "2026-10-20T10:00:00", 1, 119.0, "LINUX_CONTAINER", "BUILD_GENERAL1_SMALL", account="222222222222")]}

    def data(caller):
        if caller.region != "us-east-1":
            return {}
        return {"111111111111": main, "222222222222": member}.get(caller.account, {})

    world = answers(data)
    charge = lambda day, service, usage_type, cost, quantity, unit, record="Usage": Charge(
        day, "111111111111", service, usage_type, record, cost, quantity, unit)
    charges = [
        charge("2026-10-05", "CodeBuild", "USE1-Build-Min:Linux:g1.small", "0.015", "3", "Minutes"),
        charge("2026-10-06", "CodeBuild", "USE1-Build-Min:Linux:g1.small", "0.010", "2", "Minutes"),
        charge("2026-10-07", "CodeBuild", "USE1-Build-Min:ARM:g1.large", "0.15", "10", "Minutes"),
        charge("2026-10-05", "AWS CodePipeline", "USE1-activePipeline", "1", "1", "pipelines"),
        charge("2026-10-31", "AWS CodePipeline", "USE1-actionExecutionMinute", "0.012", "6", "minutes"),
        charge("2026-10-01", "Amazon Elastic Compute Cloud - Compute", "BoxUsage", "7.5", "100", "Hrs"),
        charge("2026-10-31", "AWS CodePipeline", "", "-1", "0", "", record="Credit"),
        charge("2026-10-31", "Tax", "", "0.25", "0", "", record="Tax"),
        charge("2026-11-03", "CodeBuild", "USE1-Build-Min:ARM:g1.large", "0.015", "1", "Minutes"),
    ]
    world["ce.GetCostAndUsage"] = cost_and_usage(charges, "2026-11-01", 20)
    world["ce.GetCostForecast"] = cost_forecast(charges, "2026-11-22")
    world["pricing.GetProducts"] = get_products
    world["cloudwatch.GetMetricData"] = metric_data(measured(MEASURED), at("2026-11-22T00:00:00"))
    return {"answers": world, "roles": {"arn:aws:iam::222222222222:role/Reader": None,
                                         "arn:aws:iam::222222222222:role/Guarded": "open sesame"},
            "regions_off": ["ap-east-1"], "offers": offers()}


def future():
    """Values that today's models do not know, and builds that go on."""
    data = {
        "projects": ["next"],
        "builds": [
            build("next", 1, "2026-10-12T10:00:00", 1, 60.0, "LINUX_CONTAINER", "FUTURE_SIZE"),
            build("next", 2, "2026-10-13T10:00:00", 1, 60.0, "LINUX_CONTAINER", "BUILD_GENERAL1_SMALL"),
            build("next", 3, "2026-10-14T10:00:00", 1, None, "LINUX_CONTAINER", "BUILD_GENERAL1_SMALL"),
        ],
        "pipelines": [pipeline("third", "FUTURE_V3", "2026-01-01T00:00:00")],
        "deployments": [deployment(1, "Server", "2026-10-11T10:00:00")],
        "targets": {"d-000000001": [target("d-000000001", "onprem-1", "FUTURE_STATUS", "2026-10-11T10:05:00")]},
    }
    world = answers(lambda caller: data)
    world["ce.GetCostAndUsage"] = cost_and_usage([], "2026-11-01", 40)
    return {"answers": world}


class Many:
    """A long list whose items are made when they are asked for."""
    def __init__(self, count, make):
        self.count, self.make = count, make

    def __len__(self):
        return self.count

    def __getitem__(self, part):
        return [self.make(at) for at in range(*part.indices(self.count))]


def large(projects, builds_each, pipelines, runs_each, deleted=0):
    """Many builds, the newest first; each of 61 seconds is two minutes. The last projects are deleted."""
    last = at("2026-11-21T00:00:00")
    step = 300 * 86400 / builds_each
    name = "p{:04d}".format

    def made(project, number):
        return build(project, number, last - (builds_each - number) * step, 1, 61.0, "LINUX_CONTAINER", "BUILD_GENERAL1_SMALL")

    def batch(request, caller):
        found = []
        for wanted in request["ids"]:
            project, number = wanted.split(":")
            found.append(made(project, int(number[:8])))
        return {"builds": found}

    world = answers(lambda caller: {})
    run_step = 300 * 86400 / max(1, runs_each)
    world.update({
        "codebuild.ListProjects": lambda r, c: ("projects", [name(n) for n in range(projects - deleted)], 100),
        "codebuild.ListBuildsForProject": lambda r, c: ("ids", Many(
            builds_each, lambda at: f"{r['projectName']}:{builds_each - at:08d}-0000-4000-8000-000000000000"), 100),
        "codebuild.BatchGetBuilds": batch,
        # Newest first, as the console shows it, over all projects.
        "codebuild.ListBuilds": lambda r, c: ("ids", Many(projects * builds_each, lambda at: (
            f"{name(at % projects)}:{builds_each - at // projects:08d}-0000-4000-8000-000000000000")), 100),
        "codepipeline.ListPipelines": lambda r, c: (
            "pipelines", [pipeline(name(n), "V1", "2025-01-01T00:00:00") for n in range(pipelines)], 1000),
        "codepipeline.ListPipelineExecutions": lambda r, c: ("pipelineExecutionSummaries", Many(
            runs_each, lambda at: execution(runs_each - at, last - at * run_step, f"r{at}")), 100),
        "ce.GetCostAndUsage": cost_and_usage([], "2026-11-01", 40),
        "cloudwatch.GetMetricData": metric_data(
            lambda caller, dimensions, metric, statistic, second: 25 + len(metric) + len(statistic), last),
    })
    return {"answers": world, "check_every": 1 if projects * builds_each <= 5000 else 20}


def offers():
    """Bulk price lists of one service in one region each, as AWS lays them out."""
    import json

    def offer(service, rows, region="us-east-1", currency="USD"):
        products = {f"SKU{n}": {"sku": f"SKU{n}", "productFamily": "Compute", "attributes": {
            "servicecode": service, "regionCode": region, "usagetype": usage_type}}
            for n, (usage_type, _, _) in enumerate(rows)}
        terms = {f"SKU{n}": {f"SKU{n}.JRTCKXETXF": {
            "effectiveDate": "2026-10-01T00:00:00Z",
            "priceDimensions": {f"SKU{n}.JRTCKXETXF.6YS6EN2CT7": {
                "unit": unit, "beginRange": "0", "endRange": "Inf", "pricePerUnit": {currency: price}}}}}
            for n, (_, unit, price) in enumerate(rows)}
        return json.dumps({"formatVersion": "v1.0", "offerCode": service, "publicationDate": "2026-10-02T00:00:00Z",
                           "products": products, "terms": {"OnDemand": terms}})

    def index(service, region="us-east-1", partition="aws"):
        return json.dumps({"regions": {region: {
            "regionCode": region,
            "currentVersionUrl": f"/offers/v1.0/{partition}/{service}/20261002000000/{region}/index.json"}}})

    lists = {
        "CodeBuild": [("USE1-Build-Min:Linux:g1.small", "minutes", "0.0050000000"),
                      ("USE1-Build-Min:Linux:g1.medium", "minutes", "0.0110000000"),
                      ("USE1-Build-Min:Linux:g9.huge", "minutes", "9.0000000000")],
        "AWSCodePipeline": [("USE1-activePipeline", "pipelines", "1.0000000000")],
    }
    found = {}
    for service, rows in lists.items():
        found[f"/offers/v1.0/aws/{service}/current/region_index.json"] = index(service)
        found[f"/offers/v1.0/aws/{service}/20261002000000/us-east-1/index.json"] = offer(service, rows)
    # China has a host of its own, and its own currency.
    china = [("CNN1-Build-Min:Linux:g1.small", "minutes", "0.0330000000")]
    found["/offers/v1.0/cn/CodeBuild/current/region_index.json"] = index("CodeBuild", "cn-north-1", "cn")
    found["/offers/v1.0/cn/CodeBuild/20261002000000/cn-north-1/index.json"] = offer("CodeBuild", china, "cn-north-1", "CNY")
    # An offer in the wrong currency, which would be seven times too dear as dollars.
    wrong = [("USE1-Build-Min:Linux:g1.small", "minutes", "0.0330000000")]
    found["/offers/v1.0/wrong/CodeBuild/current/region_index.json"] = index("CodeBuild", partition="wrong")
    found["/offers/v1.0/wrong/CodeBuild/20261002000000/us-east-1/index.json"] = offer("CodeBuild", wrong, currency="CNY")
    return found


def make(name):
    kind, _, size = name.partition(":")
    if kind == "large":
        return large(*[int(n) for n in size.split(",")])
    if kind == "skewed":
        world = small()
        world["clock"] = 600
        return world
    return {"small": small, "later": lambda: small(later=True), "future": future}[kind]()
