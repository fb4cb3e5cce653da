"""One's own account: the password, the second factor, and the tokens that one's programs use."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from units import second_factor as factors
from units import tokens as programs
from units.auditing import note
from units.errors import GeoinvError, NotAllowed, Refused, UsageError
from units.models import RecoveryCode, Token
from units.rights import TITLES, Role
from units.views.asking import only


@never_cache
@require_safe
def account(request):
    """What the account is: its roles and where they hold, its second factor, its tokens."""
    only(request)
    user = _signed_in(request)
    scopes = user.scopes.select_related("group", "district", "street", "department").order_by("group__name", "pk")
    context = {
        "scopes": [
            {
                "role": one.group.name,
                "title": TITLES[Role(one.group.name)] if one.group.name in set(Role) else one.group.name,
                "where": one.street or one.district,
                "department": one.department,
            }
            for one in scopes
        ],
        "factor": factors.factor_of(user),
        "demanded": factors.is_demanded(user),
        "offered": factors.is_approver(user) or user.is_superuser,
        "codes_left": RecoveryCode.objects.filter(user=user, used_at=None).count(),
        "tokens": programs.standing(user).count(),
        "idle_hours": settings.SESSION_COOKIE_AGE / 3600,
        "longest_hours": settings.SESSION_LONGEST_AGE / 3600,
    }
    return render(request, "registration/account.html", context)


class OldAndNew(PasswordChangeForm):
    """Django's form; guesses of the old password are counted as at the sign-in."""

    def __init__(self, request, *args, **kwargs):
        self.request = request
        super().__init__(*args, **kwargs)

    def clean_old_password(self):
        old = self.cleaned_data["old_password"]
        known = authenticate(self.request, username=self.user.get_username(), password=old)
        if known is None or known.pk != self.user.pk:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old


class ChangeOfPassword(PasswordChangeView):
    """The other sessions of the account end; this one goes on, and so do its tokens."""

    http_method_names = ["get", "head", "post"]
    form_class = OldAndNew
    template_name = "registration/password.html"
    success_url = reverse_lazy("account")

    def dispatch(self, request, *args, **kwargs):
        _signed_in(request)
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"request": self.request}

    def form_valid(self, form):
        answer = super().form_valid(form)
        note("password", by=self.request.user)
        messages.success(self.request, _("Your password is changed. Your other sessions have ended."))
        return answer

    def form_invalid(self, form):
        answer = super().form_invalid(form)
        answer.status_code = 422
        return answer


password = never_cache(ChangeOfPassword.as_view())


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request):
    """Turn the second factor on or off, or have new recovery codes; each step asks who is at the page."""
    only(request)
    user = _signed_in(request)
    if request.method == "POST":
        try:
            answer = _step(request, user, request.POST.get("step", ""))
        except (NotAllowed, UsageError):
            raise
        except GeoinvError as error:
            return _factor_page(request, user, error)
        return answer
    return _factor_page(request, user)


def _step(request, user, step: str):
    match step:
        case "begin":
            _prove(request, user)
            factors.begin(user)
            factors.may_begin(request)
            return _factor_page(request, user)
        case "confirm":
            if not factors.is_begun(request):  # whoever finds a page open is not shown the key, nor sets one
                raise Refused(
                    _("Begin with your password: it was given too long ago, or not at all."), code="second-factor"
                )
            codes = factors.turn_on(user, request.POST.get("otp", ""))
            factors.was_shown(request, user)
            return render(request, "registration/codes.html", {"codes": codes, "next": reverse("second-factor")})
        case "codes":
            factors.check(user, request.POST.get("otp", ""))
            factors.was_shown(request, user)
            codes = factors.new_codes(user)
            return render(request, "registration/codes.html", {"codes": codes, "next": reverse("second-factor")})
        case "off":
            if factors.is_demanded(user):
                raise Refused(_("This site lets your account in with a second factor only."))
            factors.check(user, request.POST.get("otp", ""))
            factors.turn_off(user, by=user)
            messages.success(request, _("The second factor is off."))
            return HttpResponseRedirect(reverse("second-factor"))
    raise UsageError(_("The request cannot be understood."))


def _factor_page(request, user, refused: GeoinvError | None = None):
    factor = factors.factor_of(user)
    confirming = factor is None and request.POST.get("step") in ("begin", "confirm") and factors.is_begun(request)
    context = {
        "factor": factor,
        "demanded": factors.is_demanded(user),
        "codes_left": RecoveryCode.objects.filter(user=user, used_at=None).count(),
        "shown": factors.shown(factors.begun(user)) if confirming else None,
        "refused": refused,
        "step": request.POST.get("step", ""),
    }
    return render(request, "registration/second_factor.html", context, status=422 if refused else 200)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request):
    """The tokens of one's programs; a new one is shown once, on the answer to the form that makes it."""
    only(request)
    user = _signed_in(request)
    context = {"refused": None, "made": None, "given": request.POST}
    if request.method == "POST":
        days = request.POST.get("days", "")
        try:
            if not (days.isascii() and days.isdigit() and len(days) < 5):
                raise UsageError(_("Say in whole days how long the token stands."))
            _prove(request, user)
            token, text = programs.make(user, request.POST.get("name", ""), request.POST.get("allows", ""), int(days))
            context |= {"made": token, "text": text, "given": {}}
        except NotAllowed:
            raise
        except GeoinvError as error:
            context["refused"] = error
    now = timezone.now()
    context |= {
        "tokens": [
            {"token": one, "stands": one.revoked_at is None and one.expires_at > now, "expired": one.expires_at <= now}
            for one in Token.objects.filter(user=user)[:100]
        ],
        "allows": Token.Allows.choices,
        "days": programs.USUAL_DAYS,
        "longest": programs.LONGEST_DAYS,
        "asks_code": factors.asks(request),
    }
    return render(request, "registration/tokens.html", context, status=422 if context["refused"] else 200)


@require_POST
def token_revoked(request, number: int):
    """Close one token at once."""
    token = programs.revoke(_signed_in(request), number)
    messages.success(request, _("The token “%(name)s” opens nothing any more.") % {"name": token.name})
    return HttpResponseRedirect(reverse("tokens"))


def _prove(request, user) -> None:
    """Whoever finds a page open makes no lasting key of it: the password is asked again, and the code where it is."""
    try:
        known = authenticate(request, username=user.get_username(), password=request.POST.get("password", ""))
    except ValidationError as error:  # guesses are counted here as at the sign-in
        raise Refused(" ".join(error.messages), code="too-many") from error
    if known is None or known.pk != user.pk:
        raise Refused(_("The password is wrong."), _("Give the password of your account."), code="password")
    factors.confirm(request, request.POST.get("otp", ""))


def _signed_in(request):
    if not request.user.is_authenticated:
        raise NotAllowed(_("Sign in first."))
    return request.user
