// Field checks: the device's position, photos that are too large told before they are sent, and a note that is not lost.
import { $, say } from "./page.js";
import { token } from "./sending.js";

const LARGEST = 20_000_000;  // bytes of one photo
const PATIENCE = { enableHighAccuracy: true, timeout: 20_000, maximumAge: 10_000 };
const form = $("#field-form"), place = $("#position");

// Ask the device where it is: {lng, lat, accuracy}, or null when it does not say; what it says is told beside the button.
function locate() {
  if (!navigator.geolocation) { place.textContent = say("noPosition", { why: say("unavailable") }); return Promise.resolve(null); }
  place.textContent = say("asking");
  return new Promise((done) => navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      place.textContent = say("found", { metres: Math.round(coords.accuracy) });
      done({ lng: coords.longitude, lat: coords.latitude, accuracy: coords.accuracy });
    },
    (trouble) => {
      place.textContent = say("noPosition", { why: say(trouble.code === trouble.PERMISSION_DENIED ? "denied" : "unavailable") });
      done(null);
    },
    PATIENCE,
  ));
}

$("#near")?.addEventListener("click", async () => {
  const here = await locate();
  if (!here) return;
  const asked = new URLSearchParams(location.search);
  asked.set("lng", here.lng.toFixed(5));
  asked.set("lat", here.lat.toFixed(5));
  asked.delete("page");
  location.search = asked;
});

if (form) begin();

function begin() {
  const key = `geoinv.field.${form.dataset.code}`, note = $("#note"), photos = $("#photos"), told = $("#photos-told"), sent = $("#sent");

  const kept = localStorage.getItem(key);
  if (kept && !note.value) {
    note.value = kept;
    sent.textContent = say("kept");
  }
  note.addEventListener("input", () => { if (note.value) localStorage.setItem(key, note.value); else localStorage.removeItem(key); });

  const take = async () => {
    const here = await locate();
    if (!here) return;
    for (const name of ["lng", "lat", "accuracy"]) $(`#${name}`).value = here[name];
    place.textContent += ` ${say("away", { away: Math.round(apart(here)) })}`;
  };
  $("#locate").addEventListener("click", take);
  navigator.permissions?.query({ name: "geolocation" }).then(({ state }) => { if (state === "granted") take(); });

  photos.addEventListener("change", () => {
    const files = [...photos.files], large = files.find((one) => one.size > LARGEST);
    photos.setCustomValidity(large ? say("tooLarge", { name: large.name }) : "");
    photos.reportValidity();
    if (files.length) told.textContent = say("photos", { count: files.length, size: (files.reduce((sum, one) => sum + one.size, 0) / 1e6).toFixed(1) });
  });

  // A dead spot loses nothing: what was written and chosen stays, and the same check sent twice is one.
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    $("#send").disabled = true;
    sent.textContent = say("sending");
    const body = new FormData(form);
    body.set("csrfmiddlewaretoken", token());
    try {
      const answer = await fetch(form.action, { method: "POST", body });
      if (answer.status >= 500) throw new Error("no answer");
      if (answer.redirected && answer.ok) {
        localStorage.removeItem(key);
        location.assign(answer.url);
        if (new URL(answer.url).pathname === location.pathname) location.reload();
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      sent.textContent = ($("#refused", page) ?? $("main p", page))?.textContent.trim() || say("noAnswer");
    } catch {
      sent.textContent = say("noAnswer");
    }
    $("#send").disabled = false;
  });
}

// Metres to a point inside the land; good enough to tell whether one stands before the right gate.
function apart({ lng, lat }) {
  const north = (lat - form.dataset.lat) * 111_195, east = (lng - form.dataset.lng) * 111_195 * Math.cos((lat * Math.PI) / 180);
  return Math.hypot(north, east);
}
