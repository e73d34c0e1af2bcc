"""In which words does Flow Service refuse a call?

Its catalogue, by code: the number, and the status behind the hyphen. What is missing or wrong in a
body has no code of its own there; such refusals are written as if they came from the provider
(1100-400), since that is the one code that says what it likes. The catalogue is whole, so it also
has what an emulator never runs into, such as states that pass in a moment here.
"""

from agent.emulator.refusals import Refused

_ERRORS = "https://ns.adobe.com/aep/errors/FLOW-"
_INTERNAL = "An internal error has occurred. Try again; if it stays, contact customer support."
_BY_SANDBOXES = "Error from Sandbox Management API: Something went wrong. Try again."

CATALOGUE = {
    "1100-400": "The request could not be processed. Error from flow provider: {reason}",
    "1101-404": "The requested resource is not found. Error from flow provider: {reason}",
    "1102-500": _INTERNAL,
    "1103-503": "The service is temporarily unavailable. Try again later.",
    "1104-504": "A gateway timeout has occurred. Try again later.",
    "1400-500": _INTERNAL,
    "1401-400": "The limit and count parameters cannot be given together. Give one of them.",
    "1402-400": "The action '{action}' is supported for provider requests only.",
    "1403-400": "The header 'If-Match' is missing in the request. Provide it and try again.",
    "1404-412": "The supplied version '{version}' does not match the current version on entity "
    "'{id}'. Ensure that it matches and try again.",
    "1405-400": "The request body cannot be null or empty. Provide a request body and try again.",
    "1406-400": "The sub operation 'progress' cannot be applied with other sub operations.",
    "1407-400": "The status failed cannot be used with the 'progress' sub operation. "
    "Use status='inProgress'.",
    "1408-400": "The percent-completed should be 100 for the completed or failed states.",
    "1409-400": "The operation 'finalize' cannot be applied on the current state {state}.",
    "1410-400": "`State` is not allowed in the create flow request.",
    "1411-400": "Unable to retrieve entityId. Invalid request received with path '{path}'.",
    "1412-400": "Invalid mapping version in request{reason}. Provide a correct mapping version.",
    "1413-400": "The spec ID provided is invalid{reason}. Provide a valid spec ID and try again.",
    "1414-400": "The connection spec of a connection cannot be updated.",
    "1415-400": "The auth spec '{name}' could not be found for the connection spec ID {id}"
    "{reason}.",
    "1416-400": "Delete or update can only be applied on connections with enabled, disabled or "
    "initializing state.",
    "1417-400": "Delete or update on connections in `initializing` state are not allowed with a "
    "user token.",
    "1418-400": "The base connection with the ID {id} cannot be deleted because it is being used "
    "in one or more flows. Delete these flows first.",
    "1419-400": "Error while validating mapping with id {id}, version {version}{reason}. This "
    "could be because of inadequate permissions on mapped fields.",
    "1420-400": "The current state {state} cannot be updated.",
    "1421-400": "The current state {state} cannot be transitioned.",
    "1422-400": "The action {action} cannot be applied on the current state {state}. Update the "
    "action and try again.",
    "1423-400": "An unhandled field {name} was provided in ConnectionSpecFiltering.",
    "1424-400": "OrderBy is not supported with cross sandbox query.",
    "1425-400": "Error while matching schema in target dataset {id} with schema in mapping "
    "{mapping}{reason}. The same schema id and version must be used in both.",
    "1426-400": "The user token is unauthorized to create or update the spec.",
    "1427-400": "The user token is unauthorized to create or update flow runs.",
    "1428-400": "Predecessor flow run not found with id {id}.",
    "1429-400": "Predecessor flow not found with id {id}.",
    "1430-400": "Flow not found with id {id}.",
    "1431-400": "Empty array 'fields' is not allowed in policy.",
    "1432-400": "The sort order is not correct: prepend + for ascending order and - for descending "
    "order in the field name.",
    "1433-400": "Incorrect field {name} passed in orderby; examples are +name, -name, name.",
    "1434-400": "Unsupported operation '{name}' received. Use add, replace or remove.",
    "1435-400": "Unsupported sub action '{name}' received. Use one of the supported sub actions.",
    "1436-400": "Unsupported sub operation {name} received for operation {action}.",
    "1437-400": "Unsupported status value '{name}' received.",
    "1438-400": "Unsupported aggregate operation '{name}' received.",
    "1439-400": "The requested {type} resource {id} is not found. Verify the resource ID before "
    "trying again.",
    "1439-404": "The requested {type} resource {id} is not found. Verify the resource ID before "
    "trying again.",
    "1440-400": "Operator '{name}' not implemented.",
    "1441-400": "Aggregate function '{name}' not implemented.",
    "1442-400": "Aggregation not allowed on field {name}.",
    "1443-400": "Operator '{name}' is not allowed for multiple values.",
    "1444-400": "Flow {id} is not in expected state {state}.",
    "1445-400": "PATCH Connection Feature not enabled.",
    "1446-400": "The flow ID cannot be null or empty.",
    "1447-400": "Found active flows containing id {id}. Delete these flows first.",
    "1448-400": "Operator {operator} not supported for field {name}.",
    "1449-400": "Invalid field {name} in filter params.",
    "1450-400": "Invalid operator {name} in filter params.",
    "1451-400": "Invalid params {name} provided in query params.",
    "1452-400": "Invalid value {value} for field {name}.",
    "1453-400": "Invalid query value {name} provided in query param.",
    "1454-400": "Unhandled Filter Value Type provided.",
    "1455-400": "An error has occurred while validating patch instructions: {reason}",
    "1456-400": "State {state} is not a valid value. Allowed values are [{allowed}].",
    "1457-400": "Operation update cannot be applied in state {state}.",
    "1458-400": "Operation delete cannot be applied in state {state}.",
    "2000-401": "The authorization token does not have access to this organization, or the "
    "organization does not exist.",
    "2001-401": "The header x-gw-ims-org-id is either missing or empty.",
    "2002-401": "The header x-gw-ims-org-id is missing in the request.",
    "2100-404": "The sandbox with the name '{name}' could not be found.",
    "2101-404": "The sandbox with the name '{name}' could not be found. Error from Sandbox "
    "Management API: Sandbox with name '{name}' not present.",
    "2102-500": "A sandbox with the name '{name}' could not be retrieved. " + _BY_SANDBOXES,
    "2103-404": "The sandbox with ID {id} and name {name} could not be found.",
    "2104-500": "A sandbox with id '{id}' and name '{name}' could not be retrieved. "
    + _BY_SANDBOXES,
    "2105-400": "The header x-sandbox-name is missing in the request. Add it and try again.",
    "2106-404": "The default sandbox information could not be found.",
    "2107-500": "A default sandbox could not be retrieved. " + _BY_SANDBOXES,
    "2108-500": "An active sandbox could not be retrieved. " + _BY_SANDBOXES,
    "2110-400": "The header x-sandbox-id is not allowed with the user token.",
    "2111-403": "The header x-sandbox-name with value * is restricted with the user token.",
    "2112-400": "The headers x-sandbox-name and x-sandbox-id both must have the value * for a "
    "cross sandbox query.",
    "2113-400": "The headers x-sandbox-id and x-sandbox-name with value * are not allowed for the "
    "request.",
    "2114-400": "Empty token provided. Provide a token and try again.",
    "2115-400": "Invalid token provided. Provide a valid token and try again.",
    "2116-500": "An internal error has occurred during offline decoding of the bearer token.",
    "2117-500": "An internal error has occurred while checking permissions for the user.",
    "2118-403": "The permission {name} is missing. Contact your administrator.",
    "2119-400": "The request context does not contain the required query parameter {name}.",
    "2120-403": "You do not have sufficient permissions to perform the operation. Contact your "
    "administrator.",
    "2121-403": "The permission {name} is denied on resource {type}. Contact your administrator.",
    "2200-500": "There was a problem while calling the Catalog service for validating schema.",
    "2250-500": "There was a problem while calling the Data Prep service for validating mapping.",
}

_TITLES = {
    "1101-404": "Resource not found",
    "1102-500": "Internal Error",
    "1103-503": "Service Unavailable",
    "1104-504": "Gateway Timeout",
    "1400-500": "Internal Error",
    "1403-400": "Header is missing",
    "1404-412": "Version not matching",
    "1439-400": "Resource not found",
    "1439-404": "Resource not found",
    "2000-401": "Invalid authorization token",
    "2001-401": "Header is missing or empty",
    "2002-401": "Header is missing",
    "2100-404": "Sandbox not found",
    "2101-404": "Sandbox not found",
    "2102-500": "Get sandbox by name error",
    "2103-404": "Sandbox not found",
    "2104-500": "Get sandbox by identifier error",
    "2105-400": "Header is missing",
    "2106-404": "Get default sandbox error",
    "2107-500": "Get default sandbox error",
    "2108-500": "Get active sandboxes error",
    "2110-400": "Headers not allowed",
    "2111-403": "Headers with value restricted",
    "2112-400": "Headers with different value not allowed",
    "2113-400": "Headers with value not allowed",
    "2114-400": "Empty token",
    "2115-400": "Invalid token",
    "2116-500": "Internal Error",
    "2117-500": "Internal Error",
    "2118-403": "Missing permission",
    "2119-400": "Query parameter missing",
    "2120-403": "Forbidden",
    "2121-403": "Forbidden",
    "2200-500": "External service request error",
    "2250-500": "External service request error",
}


class Problem(Exception):
    """A refusal out of the catalogue; `words` fill the gaps in its text."""

    def __init__(self, code: str, /, **words: object) -> None:
        self.code = code
        self.words = {name: str(word) for name, word in words.items()}
        self.message = CATALOGUE[code].format_map(self.words)
        super().__init__(f"FLOW-{code}: {self.message}")

    def refused(self, request_id: str) -> Refused:
        """The answer that says so."""
        report = {"detailed-message": self.message, "request-id": request_id}
        if self.code.startswith("1439"):
            report |= {"id": self.words["id"], "type": self.words["type"]}
        status = int(self.code[-3:])
        body = {
            "type": _ERRORS + self.code,
            "title": _TITLES.get(self.code, "Invalid request"),
            "status": status,
            "report": report,
            "errorMessage": self.message,
            "errorDetails": self.message,
        }
        return Refused(status, body)


def provider(reason: str) -> Problem:
    """A body that lacks something, or has something wrong."""
    return Problem("1100-400", reason=reason)
