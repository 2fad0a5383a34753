"""CloudWatch's GetMetricData, as its reference describes it
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html).

At most 500 queries, each with an id of its own that begins with a small letter; periods of days; values in the order
that is asked for, 100,800 of them a page at most. What has no values answers an empty series that is complete.
"""
import base64
import hashlib
import json

DAY = 86400
VALUES_A_PAGE = 100_800
# Values of an hour and more are kept for so long.
KEPT = 455 * DAY


def token(request, skip):
    """Names the page of a request that begins after so many values."""
    scope = {k: v for k, v in request.items() if k != "NextToken"}
    digest = hashlib.sha256(json.dumps(scope, sort_keys=True).encode()).hexdigest()[:16]
    return base64.urlsafe_b64encode(f"{digest}|{skip}".encode()).decode()


def metric_data(value, now, values_a_page=VALUES_A_PAGE):
    """Answers from `value(caller, dimensions, metric, statistic, second)`, none where nothing was measured."""
    def answer(request, caller):
        from __main__ import Refused

        def refuse(why):
            raise Refused("ValidationError", why)

        queries = request["MetricDataQueries"]
        if len(queries) > 500:
            refuse("The maximum number of metrics is 500")
        ids = [query["Id"] for query in queries]
        if len(set(ids)) < len(ids) or not all(i[0].islower() and i.isascii() for i in ids):
            refuse("ids are unique and begin with a small letter")
        start, end = request["StartTime"], request["EndTime"]
        if start >= end:
            refuse("The parameter StartTime must be less than the parameter EndTime")
        series = []
        for query in queries:
            stat = query["MetricStat"]
            if stat["Period"] != DAY or start % DAY or end % DAY:
                refuse("this double knows whole days")
            metric = stat["Metric"]
            if metric["Namespace"] != "AWS/CodeBuild":
                refuse("this double knows AWS/CodeBuild")
            dimensions = {d["Name"]: d["Value"] for d in metric.get("Dimensions", [])}
            first = max(start, (now - KEPT) // DAY * DAY)
            points = []
            for second in range(int(first), int(end), DAY):
                found = value(caller, dimensions, metric["MetricName"], stat["Stat"], second)
                if found is not None:
                    points.append((second, found))
            if request.get("ScanBy") != "TimestampAscending":
                points.reverse()
            series.append((query["Id"], metric["MetricName"], points))
        skip = 0
        if request.get("NextToken"):
            skip = int(base64.urlsafe_b64decode(request["NextToken"]).decode().partition("|")[2])
            if token(request, skip) != request["NextToken"]:
                raise Refused("InvalidNextToken", "a token of another request")
        results, left, at = [], values_a_page, 0
        for name, label, points in series:
            mine = points[max(0, skip - at):][:left]
            done = at + len(points) <= skip + values_a_page
            left -= len(mine)
            at += len(points)
            results.append({"Id": name, "Label": label, "StatusCode": "Complete" if done else "PartialData",
                            "Timestamps": [second for second, _ in mine], "Values": [float(v) for _, v in mine]})
        result = {"MetricDataResults": results, "Messages": []}
        if skip + values_a_page < at:
            result["NextToken"] = token(request, skip + values_a_page)
        return result
    return answer
