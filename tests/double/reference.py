#!/usr/bin/env python3
"""The totals of a month by another client and other code: boto3 against the same double.

    reference.py PORT MONTH        prints service,usage_type,quantity

It shares nothing with the program but AWS's answers: paging and decoding are botocore's, the rules
are written down here once more.
"""
import datetime
import json
import math
import sys
from collections import Counter

import boto3
from botocore.config import Config

port, month = sys.argv[1], sys.argv[2]
first = datetime.datetime.strptime(month + "-01", "%Y-%m-%d").replace(tzinfo=datetime.timezone.utc)
end = (first + datetime.timedelta(32)).replace(day=1)
session = boto3.Session("AKIDTEST", "secret", region_name="us-east-1")


def client(name):
    return session.client(name, endpoint_url=f"http://127.0.0.1:{port}", config=Config(retries={"max_attempts": 8}))


def milliseconds(moment):
    return round(moment.timestamp() * 1000)


def started(span, unit):
    return math.ceil(span / unit)


def chunks(items, size):
    return [items[at:at + size] for at in range(0, len(items), size)]


METERS = {
    ("LINUX_CONTAINER", "BUILD_GENERAL1_SMALL"): ("Build-Min:Linux:g1.small", 60_000),
    ("LINUX_CONTAINER", "BUILD_GENERAL1_MEDIUM"): ("Build-Min:Linux:g1.medium", 60_000),
    ("ARM_CONTAINER", "BUILD_GENERAL1_LARGE"): ("Build-Min:ARM:g1.large", 60_000),
    ("ARM_LAMBDA_CONTAINER", "BUILD_LAMBDA_1GB"): ("Build-Sec:Linux:Lambda:arm.1GB", 1_000),
}
totals = Counter()

builds = client("codebuild")
ids = [i for page in builds.get_paginator("list_builds").paginate() for i in page.get("ids", [])]
for some in chunks(ids, 100):
    for build in builds.batch_get_builds(ids=some)["builds"]:
        if not first <= build["startTime"] < end or "fleet" in build["environment"]:
            continue
        begins = next(p["startTime"] for p in build["phases"] if p["phaseType"] == "PROVISIONING")
        meter, unit = METERS[build["environment"]["type"], build["environment"]["computeType"]]
        totals["CodeBuild", meter] += started(milliseconds(build["endTime"]) - milliseconds(begins), unit)

for page in builds.get_paginator("list_sandboxes").paginate() if builds.can_paginate("list_sandboxes") else [builds.list_sandboxes()]:
    for sandbox in builds.batch_get_sandboxes(ids=page["ids"])["sandboxes"]:
        if first <= sandbox["startTime"] < end and "fleet" not in sandbox["environment"]:
            totals["CodeBuild", "Sandbox"] += started(milliseconds(sandbox["endTime"]) - milliseconds(sandbox["startTime"]), 1000)

pipelines = client("codepipeline")
for page in pipelines.get_paginator("list_pipelines").paginate():
    for pipeline in page["pipelines"]:
        name = pipeline["name"]
        if pipeline.get("pipelineType", "V1") == "V1":
            runs = [run for found in pipelines.get_paginator("list_pipeline_executions").paginate(pipelineName=name)
                    for run in found["pipelineExecutionSummaries"]]
            runs.sort(key=lambda run: run["startTime"])
            last, states = None, set()
            for run in runs:
                revisions = sorted((r["actionName"], r["revisionId"]) for r in run.get("sourceRevisions", []))
                if revisions and revisions != last and first <= run["startTime"] < end:
                    age = run["startTime"].date() - pipeline["created"].astimezone(datetime.timezone.utc).date()
                    states.add("activePipeline" if age.days > 30 else "trialPipeline")
                last = revisions or last
            if states:
                totals["AWSCodePipeline", min(states)] += 1
        else:
            for found in pipelines.get_paginator("list_action_executions").paginate(pipelineName=name):
                for action in found["actionExecutionDetails"]:
                    kind = action["input"]["actionTypeId"]
                    if kind["category"] == "Approval" or kind["owner"] == "Custom":
                        continue
                    begins, ends = max(action["startTime"], first), min(action["lastUpdateTime"], end)
                    span = milliseconds(ends) - milliseconds(begins)
                    if span > 0:
                        totals["AWSCodePipeline", "actionExecutionMinute"] += started(span, 60_000)

deploys = client("codedeploy")
created = {"start": first - datetime.timedelta(30), "end": end}
for page in deploys.get_paginator("list_deployments").paginate(createTimeRange=created):
    for some in chunks(page["deployments"], 25):
        for info in deploys.batch_get_deployments(deploymentIds=some)["deploymentsInfo"]:
            if info["computePlatform"] != "Server":
                continue
            wanted, token = [], {}
            while True:
                found = deploys.list_deployment_targets(deploymentId=info["deploymentId"], **token)
                wanted += found["targetIds"]
                if "nextToken" not in found:
                    break
                token = {"nextToken": found["nextToken"]}
            for part in chunks(wanted, 25):
                for target in deploys.batch_get_deployment_targets(
                        deploymentId=info["deploymentId"], targetIds=part)["deploymentTargets"]:
                    target = target["instanceTarget"]
                    if ":codedeploy:" in target["targetArn"] and target["status"] in ("Succeeded", "Failed"):
                        if first <= target["lastUpdatedAt"] < end:
                            totals["AWSCodeDeploy", "On-Premises-Instance"] += 1

trail = client("cloudtrail")
who = set()
for page in trail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": "codecommit.amazonaws.com"}],
        StartTime=first, EndTime=end - datetime.timedelta(milliseconds=1)):
    for event in page["Events"]:
        identity = json.loads(event["CloudTrailEvent"])["userIdentity"]
        who.add(identity.get("sessionContext", {}).get("sessionIssuer", {}).get("arn", identity["arn"]))
if who:
    totals["AWSCodeCommit", "User-Month"] = len(who)

for (service, usage_type), quantity in sorted(totals.items()):
    print(f"{service},{usage_type},{quantity}")
