"""The shapes of what the API takes and gives, for its description."""

from rest_framework import serializers

from units.models import Category
from units.workflow import CHANGES, REGISTERS, RESULTS, STATES, states_of

Any = serializers.JSONField
Text = serializers.CharField
Number = serializers.IntegerField
Truth = serializers.BooleanField


def listed(shape, **more):
    """A list of texts or of other fields."""
    return serializers.ListField(child=shape, **more)


def page(name: str, entry: type[serializers.Serializer]) -> type[serializers.Serializer]:
    """A page of a list: how many there are, the entries, and the address of the next page."""
    members = {
        "count": Number(),
        "items": entry(many=True),
        "next": serializers.URLField(allow_null=True),
    }
    return type(name, (serializers.Serializer,), members)


class Paper(serializers.Serializer):
    id = Number(read_only=True)
    title = Text(max_length=200)
    number = Text(required=False, allow_blank=True)
    issuer = Text(required=False, allow_blank=True)
    dated = serializers.DateField(required=False, allow_null=True)


class Record(serializers.Serializer):
    code = Text()
    subject = Text()
    kind = serializers.ChoiceField(["parcel", "building"])
    district = Text()
    street = Text(allow_null=True)
    category = serializers.ChoiceField(Category.values)
    subtype = Text()
    state = serializers.ChoiceField(STATES)
    state_title = Text()
    result = serializers.ChoiceField(RESULTS, allow_null=True)
    procedure = Text(allow_null=True)
    reason_codes = listed(Text())
    reason = Text()
    document = Paper(allow_null=True)
    decided_by = Text(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    base_survey_year = Number()
    criteria = Text()
    listed_since = serializers.DateField(allow_null=True)
    listed_until = serializers.DateField(allow_null=True)
    started_on = serializers.DateField(allow_null=True)
    plan_item = Text(allow_null=True)
    change = serializers.ChoiceField(CHANGES, allow_null=True)
    version = Number()
    changed_since = Truth()


class Change(serializers.Serializer):
    what = serializers.ChoiceField(["criteria", "parameter", "facts", "outcome", "survey"])
    name = Text()
    title = Text()
    before = Any(allow_null=True)
    now = Any(allow_null=True)
    hidden = Truth(required=False)


class AllowedStep(serializers.Serializer):
    to = serializers.ChoiceField(STATES)
    gates = listed(Text())
    back = Truth()


class KeptMove(serializers.Serializer):
    at = serializers.DateTimeField()
    to = Text()
    by = Text(allow_null=True)
    role = Text()
    comment = Text()
    document = Paper(allow_null=True)
    details = Any()

    def get_fields(self):
        return super().get_fields() | {"from": Text()}


class WholeRecord(Record):
    changes = Change(many=True)
    computed_then = Any(allow_null=True)
    computed_now = Any(allow_null=True)
    raised_by = Text(allow_null=True)
    raised_reason = Text()
    approved_by = Text(allow_null=True)
    form = Number(allow_null=True)
    steps = AllowedStep(many=True)
    moves = KeptMove(many=True)


class ByHand(serializers.Serializer):
    subject = Text(help_text="The code of the parcel or building.")
    category = serializers.ChoiceField(Category.values)
    reason = Text(max_length=2000)
    subtype = Text(required=False)


class Raised(serializers.Serializer):
    district = Text()
    criteria = Text(required=False, help_text="Without it, the set that judged the district last.")


class Suspects(serializers.Serializer):
    district = Text()
    criteria = Text()
    digest = Text()
    run = Number()
    candidates = Number()
    made = Number()
    known = Number()


class NewForm(serializers.Serializer):
    lead = Text(help_text="The code of the lead department.")
    due_on = serializers.DateField()


class Step(serializers.Serializer):
    to = serializers.ChoiceField(STATES)
    reason = Text(required=False, max_length=2000)
    comment = Text(required=False, max_length=2000)
    result = serializers.ChoiceField(RESULTS, required=False)
    subtype = Text(required=False)
    document = Paper(required=False, help_text="A paper, or the number of a document that is kept.")
    warned = listed(serializers.ChoiceField(["idle"]), required=False)
    form = NewForm(required=False, help_text="For the step to “assigned”, where no campaign made a form.")
    change = serializers.ChoiceField(CHANGES, required=False, help_text="Why a record of the inventory is updated.")
    plan = Text(required=False, max_length=80, help_text="The number of the plan item.")
    after = Any(required=False, help_text="Values after redevelopment: use, floor_m2, completed_on, investment_wan.")
    on = serializers.DateField(required=False, help_text="The day on which a stage of a disposal was reached.")
    opinion = Paper(required=False, help_text="The province's review opinion, where a unit needs one.")
    version = Number(required=False, help_text="Instead of If-Match.")


class Steps(Step):
    codes = listed(Text(), max_length=2000)
    comments = Any(required=False, help_text="{code: comment} of single records.")
    versions = Any(required=False, help_text="{code: version} as they were read.")


class AnySteps(Steps):
    register = serializers.ChoiceField(list(REGISTERS))
    district = Text(required=False, help_text="Where two districts have the same code.")
    to = serializers.ChoiceField(sorted({state for one in REGISTERS for state in states_of(one) if state}))


class Refusal(serializers.Serializer):
    code = Text()
    error = Text()
    message = Text()
    hint = Text()


class Moved(serializers.Serializer):
    to = Text()
    moved = listed(Text())
    refused = Refusal(many=True)


class WaitingRow(serializers.Serializer):
    code = Text()
    title = Text()
    state = Text()
    version = Number()
    since = serializers.DateTimeField(allow_null=True)
    due_on = serializers.DateField(allow_null=True)
    district = Text()
    address = Text()


class Turn(serializers.Serializer):
    register = Text()
    district = Text()
    to = Text(help_text="The state the step leads to; confirm and reply are answers that are no moves.")
    count = Number()
    rows = WaitingRow(many=True)


class Work(serializers.Serializer):
    count = Number()
    turns = Turn(many=True)


class SealedSet(serializers.Serializer):
    district = Text()
    register = Text(help_text="record or legacy")
    number = Number()
    at = serializers.DateTimeField()
    by = Text()
    document = Paper()
    rows = Number()
    sha256 = Text()
    beside = Number(allow_null=True)
    replaces = Number(allow_null=True)
    package = Text()


class Entered(serializers.Serializer):
    surveyed = Number()
    entered = Number()
    share = serializers.FloatField(allow_null=True)


class EnteredStreet(Entered):
    code = Text(allow_null=True)
    name = Text()


class Progress(serializers.Serializer):
    record = Entered()
    legacy = Entered()
    streets = EnteredStreet(many=True)
    due_on = serializers.DateField()


class State(serializers.Serializer):
    register = serializers.ChoiceField(list(REGISTERS))
    number = Text()
    name = Text()
    title = Text()


class Way(serializers.Serializer):
    to = Text()
    roles = listed(Text())
    gates = listed(Text())
    back = Truth()
    approves = Truth()
    register = serializers.ChoiceField(list(REGISTERS))

    def get_fields(self):
        return super().get_fields() | {"from": Text()}


class Workflow(serializers.Serializer):
    states = State(many=True)
    steps = Way(many=True)


class Measure(serializers.Serializer):
    name = Text()
    title = Text()
    definition = Text()
    uom = Text()
    type = Text()
    decimals = Number()
    family = Text()
    source = Text()
    owner = Text()
    subjects = listed(Text())
    layer = Text()
    restricted = Truth()


class Fact(serializers.Serializer):
    name = Text()
    title = Text()
    owner = Text()


class Run(serializers.Serializer):
    run = Number()
    district = Text()
    survey = Number()
    criteria = Text()
    digest = Text()
    official = Truth()
    kind = Text()
    ran_at = serializers.DateTimeField()
    ran_by = Text(allow_null=True)
    subjects = Number()
    counts = serializers.DictField(child=Number())
    params = serializers.DictField()
    seconds = serializers.FloatField()


class Campaign(serializers.Serializer):
    id = Number()
    district = Text()
    survey = Number()
    year = Number()
    title = Text()
    due_on = serializers.DateField()
    state = serializers.ChoiceField(["open", "closed"])
    opened_at = serializers.DateTimeField()


class NewCampaign(serializers.Serializer):
    district = Text()
    year = Number(required=False)
    title = Text(required=False)
    due_on = serializers.DateField(required=False)


class Form(serializers.Serializer):
    id = Number()
    campaign = Number(allow_null=True)
    determination = Text()
    subject = Text()
    category = serializers.ChoiceField(Category.values)
    state = Text()
    lead = Text(allow_null=True)
    due_on = serializers.DateField(allow_null=True)
    version = Number()


class Cell(serializers.Serializer):
    value = Any(required=False, allow_null=True)
    unknown_reason = Text(required=False)


class Cells(serializers.Serializer):
    cells = serializers.DictField(child=Cell(allow_null=True))
    version = Number(required=False, help_text="Instead of If-Match.")


class FormStep(serializers.Serializer):
    group = serializers.ChoiceField(["land", "construction", "economy"], required=False)
    comment = Text(required=False)
    version = Number(required=False, help_text="Instead of If-Match.")


class CriteriaSet(serializers.Serializer):
    name = Text()
    title = Text()
    status = serializers.ChoiceField(["draft", "approved", "retired"])
    official = Truth()
    example = Truth()
    district = Text()
    parent = Text()
    digest = Text()
    valid_from = serializers.DateField(allow_null=True)
    file = Truth()
    flags = Truth(help_text="Whether any of its rules flags land.")
    faults = Number()
    used = serializers.DateTimeField(allow_null=True, help_text="When land was last judged by it.")
    version = Number(allow_null=True)
    made_by = Text()
    made_at = serializers.DateTimeField(allow_null=True)
    edited_by = Text()
    edited_at = serializers.DateTimeField(allow_null=True)
    approved_by = Text()
    approved_at = serializers.DateTimeField(allow_null=True)
    retired_at = serializers.DateTimeField(allow_null=True)
    document = Text()
    reason = Text()


class NewDraft(serializers.Serializer):
    name = Text()
    district = Text()
    reason = Text()
    parent = Text(required=False)
    copy_of = Text(required=False)
    title = Text(required=False)
    values = serializers.DictField(child=Text(), required=False)


class CheckedText(serializers.Serializer):
    text = Text()
    name = Text(required=False)
    district = Text(required=False)


class Fault(serializers.Serializer):
    file = Text()
    place = Text()
    line = Number(allow_null=True)
    column = Number(allow_null=True)
    rule = Text()
    message = Text()
    hint = Text()
    meant = Text()


class Checked(serializers.Serializer):
    faults = Fault(many=True)
    digest = Text()
    milliseconds = serializers.FloatField()


class CriteriaSetText(serializers.Serializer):
    name = Text()
    text = Text()
    version = Number(allow_null=True)


class SavedText(serializers.Serializer):
    text = Text()
    version = Number(required=False, help_text="Instead of If-Match.")


class CriteriaDecision(serializers.Serializer):
    reason = Text()
    document = Paper(required=False)
    version = Number(required=False, help_text="Instead of If-Match.")
