// What this phone can do, tried for real: nothing here needs a log-in, and nothing of it stays.
import { keepStored } from "../../shared/guards.ts";
import { chosenForm } from "../talk/form.ts";

const RECORD_MS = 2_000;
const STORE = "smartwatch-check";
const WAIT_MS = 20_000;

/** Records two seconds; null when the phone cannot or may not. */
export async function record(): Promise<Blob | null> {
  if (!("MediaRecorder" in globalThis) || !navigator.mediaDevices?.getUserMedia) return null;
  let stream: MediaStream | null = null;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const type = chosenForm();
    const recorder = new MediaRecorder(stream, type ? { mimeType: type } : {});
    const pieces: Blob[] = [];
    recorder.ondataavailable = (event) => pieces.push(event.data);
    const made = new Promise<Blob>((resolve) => { recorder.onstop = () => resolve(new Blob(pieces, { type: recorder.mimeType })); });
    recorder.start();
    await new Promise((resolve) => setTimeout(resolve, RECORD_MS));
    recorder.stop();
    const sound = await made;
    return sound.size > 0 ? sound : null;
  } catch {
    return null;
  } finally {
    for (const track of stream?.getTracks() ?? []) track.stop();
  }
}

/** Plays the recording; whether it was heard only the person knows. */
export async function play(sound: Blob): Promise<boolean> {
  const audio = new Audio(URL.createObjectURL(sound));
  try {
    await audio.play();
    return true;
  } catch {
    return false;
  }
}

/** Writes to the phone, reads it again, removes it, and asks the browser not to clear what the app keeps. */
export async function keep(): Promise<boolean> {
  try {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const asked = indexedDB.open(STORE, 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("trial");
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
    const wrote = await new Promise<boolean>((resolve) => {
      const transaction = database.transaction("trial", "readwrite");
      transaction.objectStore("trial").put(new Uint8Array(64 * 1024).buffer, "sound");
      const read = transaction.objectStore("trial").get("sound");
      transaction.oncomplete = () => resolve((read.result as ArrayBuffer).byteLength === 64 * 1024);
      transaction.onabort = () => resolve(false);
    });
    database.close();
    indexedDB.deleteDatabase(STORE);
    await keepStored();
    return wrote;
  } catch {
    return false;
  }
}

/** Subscribes with a key of its own and ends it again: the maker's service is reached, or it is not. */
export async function wake(): Promise<boolean> {
  if (!("serviceWorker" in navigator) || !("PushManager" in globalThis) || !("Notification" in globalThis)) return false;
  try {
    if ((await Notification.requestPermission()) !== "granted") return false;
    const registration = await inTime(navigator.serviceWorker.ready);
    if (await registration.pushManager.getSubscription()) return true;
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
    const key = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
    const made = await inTime(registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
    await made.unsubscribe();
    return true;
  } catch {
    return false;
  }
}

/** A service that cannot be reached does not always say so. */
function inTime<T>(work: Promise<T>): Promise<T> {
  return Promise.race([work, new Promise<never>((_, reject) => setTimeout(() => reject(new Error("no answer")), WAIT_MS))]);
}
