"""The way in: name and password, then the second factor where the account has one or must have one."""

import time

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpResponseRedirect, JsonResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from geoinv import sessions
from units import second_factor
from units.auditing import note
from units.errors import NotAllowed, Refused

PENDING = "signing_in"  # of a session: whose password was right, when, and where he wanted to go
PENDING_SECONDS = 600


class SignIn(LoginView):
    """Name and password. Who has a second factor is not signed in yet, but asked for it on the next page."""

    http_method_names = ["get", "head", "post"]
    redirect_authenticated_user = True

    def form_valid(self, form):
        user = form.get_user()
        if second_factor.factor_of(user) is not None:
            return self.go_on("login-code", user)
        if second_factor.is_demanded(user):
            second_factor.begin(user)  # another key than one that was shown before and never confirmed
            return self.go_on("login-second-factor", user)
        return let_in(self.request, user, self.get_success_url())

    def go_on(self, page: str, user):
        self.request.session.cycle_key()  # a key that somebody else set before leads to no half-open account
        self.request.session[PENDING] = {
            "user": user.pk,
            "password": user.get_session_auth_hash(),
            "at": int(time.time()),
            "next": self.get_success_url(),
        }
        return HttpResponseRedirect(reverse(page))


class SignOut(LogoutView):
    """Kept in the audit like the sign-in."""

    def post(self, request, *args, **kwargs):
        if request.user.is_authenticated:
            note("sign_out", by=request.user)
        return super().post(request, *args, **kwargs)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def code(request):
    """The second step of a sign-in: a code of the app, or a recovery code."""
    user, wanted = pending(request)
    if user is None:
        return HttpResponseRedirect(reverse("login"))
    refused = None
    if request.method == "POST":
        try:
            second_factor.check(user, request.POST.get("otp", ""))
        except Refused as error:
            refused = error
        else:
            return let_in(request, user, wanted, shown=True)
    return render(request, "registration/code.html", {"refused": refused}, status=422 if refused else 200)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def enrol(request):
    """The second step where this site demands a second factor and the account has none: turn it on, then go in."""
    user, wanted = pending(request)
    if user is None or second_factor.factor_of(user) is not None:
        return HttpResponseRedirect(reverse("login"))
    refused = None
    if request.method == "POST":
        try:
            codes = second_factor.turn_on(user, request.POST.get("otp", ""))
        except Refused as error:
            refused = error
        else:
            let_in(request, user, wanted, shown=True)
            return render(request, "registration/codes.html", {"codes": codes, "next": wanted})
    context = {"shown": second_factor.shown(second_factor.begun(user)), "refused": refused}
    return render(request, "registration/enrol.html", context, status=422 if refused else 200)


@never_cache
@require_safe
def desk(request):
    """The administrator's desk has no sign-in of its own: it would be a way around the second factor."""
    wanted = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
        wanted = reverse("admin:index")
    if not request.user.is_authenticated:
        return HttpResponseRedirect(f"{reverse('login')}?{urlencode({'next': wanted})}")
    if not request.user.is_staff:
        raise NotAllowed(
            _("The administrator's desk is open to administrators alone."),
            _("Sign out, and sign in with such an account."),
        )
    return HttpResponseRedirect(wanted)


def let_in(request, user, wanted: str, *, shown: bool = False):
    """Sign `user` in, in a session of his own, and go where he wanted."""
    request.session.pop(PENDING, None)
    login(request, user, settings.AUTHENTICATION_BACKENDS[0])
    sessions.begin(request.session)
    if shown:
        second_factor.was_shown(request, user)
    note("sign_in", by=user, second_factor=shown)
    return HttpResponseRedirect(resolve_url(wanted))


def pending(request):
    """Whose password was right in this session within the last ten minutes, and where he wants to go; else (None, "").

    A password that was changed meanwhile, or an account that was closed, ends it.
    """
    kept = request.session.get(PENDING)
    if not kept or not 0 <= time.time() - kept["at"] < PENDING_SECONDS:
        return None, ""
    user = get_user_model().objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != kept["password"]:
        return None, ""
    return user, kept["next"]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def session(request):
    """How long the session still stands; with POST, which the page sends when somebody is at it, it goes on."""
    if not request.user.is_authenticated:
        raise NotAllowed(_("You are signed out."), _("Sign in again; what is open stays open."), code="signed-out")
    kept = request.session
    if request.method == "POST" and sessions.SINCE in kept:
        sessions.renew(kept)
    seconds = sessions.left(kept)
    answer = {
        "left": kept.get_expiry_age() if seconds is None else seconds,
        "goes_on": sessions.can_be_renewed(kept),
        "user": request.user.get_username(),
    }
    return JsonResponse(answer)
