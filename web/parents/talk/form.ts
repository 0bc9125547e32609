// The forms of sound that browsers record; the server plays any of them.
const FORMS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];

/** The first form that this browser records; empty: the browser chooses. */
export function chosenForm(): string {
  return FORMS.find((one) => MediaRecorder.isTypeSupported(one)) ?? "";
}
