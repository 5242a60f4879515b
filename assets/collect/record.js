// Recording: webcam pictures and microphone clips under a caption, one class after another, as Teachable Machine has it.
import { during, el, keyed } from "../page/dom.js";
import { add } from "./add.js";

const SIDE = 512, EVERY_MS = 220, CLIP_MS = 1150, MOST = 300, MOST_DECODED = 32 * 2 ** 20, SUFFIX = /\.[a-z0-9]{2,5}$/i;
const SUFFIXES = { "audio/mp4": "m4a", "audio/x-m4a": "m4a", "audio/aac": "aac", "audio/amr": "amr", "audio/3gpp": "3gp", "audio/mpeg": "mp3", "audio/ogg": "ogg",
  "audio/wav": "wav", "audio/x-wav": "wav", "audio/webm": "webm", "video/mp4": "mp4", "video/quicktime": "mov", "video/3gpp": "3gp", "video/webm": "webm",
  "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/heic": "heic", "image/heif": "heic" };

export const record = {
  show(tab, body) {
    const recordings = (tab.recordings ??= { files: [], pictures: 0, sounds: 0 });
    const caption = el("input", { type: "text", id: "mc-class", maxlength: 300, dir: "auto", autocomplete: "off", value: tab.className ?? "",
      placeholder: tab.say("class_hint"), oninput: () => { tab.className = caption.value; record.nameKeep(tab); } });
    tab.classField = caption;
    tab.chips = el("div", { class: "mc-chips", role: "group", "aria-label": tab.say("classes") });
    tab.kept = el("div", { class: "mc-kept" });
    tab.stage = el("div", { class: "mc-stage" });
    body.replaceChildren(el("div", { class: "mt-field" }, el("label", { for: "mc-class" }, tab.say("class")), caption, tab.chips), tab.stage, tab.kept,
      el("p", { class: "mt-note" }, tab.limits.sentence));
    record.showChips(tab);
    record.showKept(tab);
    if (!navigator.mediaDevices?.getUserMedia) record.native(tab);
    else record.off(tab);
    return recordings;
  },

  showChips(tab) {
    const captions = (tab.captions ?? []).slice(0, 12).map((caption) => ({ caption }));
    if (tab.chips) keyed(tab.chips, captions, "caption", ({ caption }, old) => old ?? el("button", { type: "button", class: "mc-chip", dir: "auto",
      onclick: async () => {
        if (tab.recordings?.files.length && tab.classField.value.trim() !== caption && !(await record.save(tab))) return;
        tab.className = tab.classField.value = caption;
        tab.classField.focus();
      } }, caption));
  },

  off(tab) {
    tab.stage.replaceChildren(el("button", { type: "button", class: "mt-button mt-primary", "data-action": "camera", onclick: () => record.begin(tab) }, tab.say("camera_on")));
  },

  native(tab) { // the device's own camera and recorder, which a plain http page may use too
    const input = (accept, key) => el("label", { class: "mt-button mc-native" }, tab.say(key), el("input", { type: "file", class: "mm-sr", accept, capture: "environment",
      onchange: async (event) => {
        const files = [...event.target.files];
        event.target.value = "";
        if (!record.named(tab)) return;
        const caption = tab.className.trim(); // as it is now, before a long film is decoded
        add.send(tab, await Promise.all(files.map((file) => record.taken(tab, file, key === "native_sound"))), caption);
      } }));
    tab.stage.replaceChildren(el("p", { class: "mt-quiet" }, tab.say("no_camera")),
      el("div", { class: "mt-actions" }, input("image/*", "native_picture"), input("audio/*", "native_sound")));
  },

  // [name, Blob] of what a device's own recorder or camera gave: as WAV or JPEG where this browser can read it (m4a, a
  // film, HEIC), so that the server need not; else as it is, with the suffix that phones leave out.
  async taken(tab, file, heard) {
    const named = SUFFIX.test(file.name) ? file.name : `${file.name || "recording"}.${SUFFIXES[file.type.split(";")[0]] ?? (heard ? "m4a" : "jpg")}`;
    if (heard && file.size < MOST_DECODED) {
      try {
        tab.sound ??= new AudioContext();
        return [named.replace(SUFFIX, ".wav"), wav(await tab.sound.decodeAudioData(await file.arrayBuffer()))];
      } catch (error) { /* of a kind that this browser does not read */ }
    }
    if (!heard && /\.(heic|heif)$/i.test(named)) {
      try {
        const picture = await createImageBitmap(file), canvas = el("canvas", { width: picture.width, height: picture.height });
        canvas.getContext("2d").drawImage(picture, 0, 0);
        return [named.replace(SUFFIX, ".jpg"), await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92))];
      } catch (error) { /* the same */ }
    }
    return [named, file];
  },

  async begin(tab) {
    const { stage } = tab;
    const open = (wanted) => navigator.mediaDevices.getUserMedia(wanted).catch(() => null);
    const camera = await open({ video: { width: { ideal: 640 }, height: { ideal: 640 } } });
    const microphone = await open({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
    if (tab.stage !== stage || !stage.isConnected) { // while the browser asked, another thing was opened
      for (const stream of [camera, microphone]) stream?.getTracks().forEach((track) => track.stop());
      return;
    }
    if (!camera && !microphone) {
      stage.replaceChildren(el("p", { class: "mm-alert", role: "alert" }, tab.say("no_device")));
      return;
    }
    record.end(tab); // of a second press
    tab.camera = camera;
    tab.microphone = microphone;
    const video = (tab.video = el("video", { class: "mc-video", muted: true, playsinline: true, autoplay: true, "aria-label": tab.say("preview") }));
    video.muted = true;
    if (camera) { video.srcObject = camera; video.play().catch(() => {}); }
    const level = el("i");
    let held = false;
    const hold = async () => {
      held = true;
      if (!(await record.ready(tab))) return;
      record.shoot(tab);
      clearInterval(tab.shooting);
      if (held) tab.shooting = setInterval(() => record.shoot(tab), EVERY_MS);
    };
    const release = () => { held = false; clearInterval(tab.shooting); };
    const button = (name, does, more = {}) => el("button", { type: "button", class: "mt-button", "data-action": name, onclick: does, ...more }, tab.say(name));
    const shoot = button("shoot", async (event) => { if (event.detail === 0 && await record.ready(tab)) record.shoot(tab); }, // by the keyboard; a pointer holds
      { onpointerdown: hold, onpointerup: release, onpointerleave: release, onpointercancel: release });
    tab.stage.replaceChildren(...[
      camera ? video : el("p", { class: "mt-quiet" }, tab.say("no_camera_device")),
      el("div", { class: "mc-controls" },
        el("div", { class: "mt-actions" }, camera && shoot, microphone && button("listen", () => record.listen(tab, false)),
          camera && microphone && button("both", () => record.listen(tab, true)),
          button("camera_off", () => { record.end(tab); record.off(tab); })),
        microphone ? el("div", { class: "mc-level" }, level) : el("p", { class: "mt-quiet" }, tab.say("no_microphone")))].filter(Boolean));
    if (microphone) record.meter(tab, level);
  },

  meter(tab, level) { // that it hears something
    tab.sound ??= new AudioContext();
    const analyser = tab.sound.createAnalyser(), samples = new Float32Array(512), stream = tab.microphone;
    tab.sound.createMediaStreamSource(stream).connect(analyser);
    const look = () => {
      if (tab.microphone !== stream || !level.isConnected) return;
      analyser.getFloatTimeDomainData(samples);
      level.style.width = `${Math.min(100, 140 * Math.max(...samples.map(Math.abs)))}%`;
      setTimeout(look, 80);
    };
    look();
  },

  end(tab) {
    clearInterval(tab.shooting);
    for (const stream of [tab.camera, tab.microphone]) stream?.getTracks().forEach((track) => track.stop());
    tab.camera = tab.microphone = null;
  },

  named(tab) {
    if (tab.classField.value.trim()) return true;
    add.note(tab.addNote, tab.say("class_first"), true);
    tab.classField.focus();
    return false;
  },

  async ready(tab) { // a caption is there; what was recorded under another one is added under that
    if (!record.named(tab)) return false;
    const caption = tab.classField.value.trim(), { recordings } = tab;
    if (recordings.files.length && recordings.caption !== caption && !(await record.save(tab, recordings.caption))) return false;
    tab.recordings.caption = caption;
    return true;
  },

  name() { return `${Date.now()}-${Math.random().toString(36).slice(2, 6)}`; },

  async shoot(tab, name = record.name()) {
    const { video } = tab, side = Math.min(video.videoWidth, video.videoHeight);
    if (!side || tab.recordings.files.length >= MOST) return;
    const canvas = el("canvas", { width: Math.min(side, SIDE), height: Math.min(side, SIDE) });
    canvas.getContext("2d").drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, canvas.width, canvas.height);
    record.keep(tab, "pictures", `${name}.jpg`, await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92)));
  },

  async listen(tab, withPicture) {
    if (tab.listening) return;
    tab.listening = true;
    if (!(await record.ready(tab))) { tab.listening = false; return; }
    const button = tab.stage.querySelector(`[data-action=${withPicture ? "both" : "listen"}]`), name = record.name();
    button.textContent = tab.say("listening");
    await during(button, () => record.clip(tab, withPicture, name));
    tab.listening = false;
    button.textContent = tab.say(withPicture ? "both" : "listen");
  },

  async clip(tab, withPicture, name) {
    try {
      const recorder = new MediaRecorder(tab.microphone), pieces = [];
      recorder.ondataavailable = (event) => pieces.push(event.data);
      const over = new Promise((resolve) => { recorder.onstop = resolve; });
      recorder.start();
      if (withPicture) setTimeout(() => record.shoot(tab, name), CLIP_MS / 2);
      setTimeout(() => recorder.state !== "inactive" && recorder.stop(), CLIP_MS);
      await over;
      tab.sound ??= new AudioContext();
      const heard = await tab.sound.decodeAudioData(await new Blob(pieces, { type: recorder.mimeType }).arrayBuffer());
      record.keep(tab, "sounds", `${name}.wav`, wav(heard));
    } catch (error) {
      add.note(tab.addNote, tab.say("no_device"), true);
    }
  },

  keep(tab, kind, name, blob) {
    const { recordings } = tab;
    if (recordings.files.length === 0) tab.addNote.replaceChildren();
    recordings.files.push([name, blob]);
    recordings[kind]++;
    record.showKept(tab, kind, blob);
  },

  async save(tab, caption = tab.classField.value.trim()) { // whether all of it was added
    if (!record.named(tab)) { record.showKept(tab); return false; }
    const taken = tab.recordings;
    if (!taken.files.length) return true; // they are on their way already
    tab.recordings = { files: [], pictures: 0, sounds: 0 };
    const added = await add.send(tab, taken.files, caption);
    const { files, pictures, sounds } = tab.recordings; // those made meanwhile
    if (!added) tab.recordings = { ...taken, files: [...taken.files, ...files], pictures: taken.pictures + pictures, sounds: taken.sounds + sounds };
    else if (tab.classField.value.trim() === caption) tab.className = tab.classField.value = "";
    record.showKept(tab);
    tab.classField.focus();
    return added;
  },

  showKept(tab) {
    const { files, pictures, sounds } = tab.recordings;
    if (!files.length) return tab.kept.replaceChildren();
    tab.keptUrls?.forEach((url) => URL.revokeObjectURL(url));
    tab.keptUrls = [];
    const shown = files.slice(-12).map(([name, blob]) => {
      if (!name.endsWith(".jpg")) return el("span", { class: "mc-note", "aria-hidden": "true" }, "♪");
      tab.keptUrls.push(URL.createObjectURL(blob));
      return el("img", { src: tab.keptUrls.at(-1), alt: "" });
    });
    tab.kept.replaceChildren(el("div", { class: "mc-strip" }, ...shown),
      el("p", { class: "mt-quiet", role: "status" }, tab.say("recorded", { pictures, sounds })),
      el("div", { class: "mt-actions" },
        el("button", { type: "button", class: "mt-button mt-primary", "data-action": "keep", onclick: (event) => { event.currentTarget.disabled = true; record.save(tab); } }),
        el("button", { type: "button", class: "mt-button", onclick: () => { tab.recordings = { files: [], pictures: 0, sounds: 0 }; record.showKept(tab); } }, tab.say("cancel"))));
    record.nameKeep(tab);
  },

  nameKeep(tab) { // the button says under which caption they come
    const button = tab.kept?.querySelector("[data-action=keep]"), caption = tab.classField.value.trim();
    if (button) button.textContent = tab.say(caption ? "keep_under" : "keep", { count: tab.recordings.files.length, caption });
  },
};

function wav(heard) { // 16 bits, one channel, at the rate it was heard
  const count = heard.length, view = new DataView(new ArrayBuffer(44 + 2 * count));
  const text = (at, word) => [...word].forEach((char, i) => view.setUint8(at + i, char.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * count, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, heard.sampleRate, true); view.setUint32(28, 2 * heard.sampleRate, true);
  view.setUint16(32, 2, true); view.setUint16(34, 16, true); text(36, "data"); view.setUint32(40, 2 * count, true);
  const channels = Array.from({ length: heard.numberOfChannels }, (_, i) => heard.getChannelData(i));
  const mixed = Float32Array.from({ length: count }, (_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
  const energy = (samples) => samples.reduce((sum, value) => sum + value * value, 0);
  const loudest = channels.reduce((one, other) => energy(other) > energy(one) ? other : one);
  const samples = energy(mixed) < 0.1 * energy(loudest) ? loudest : mixed; // of channels that cancel each other out
  for (let i = 0; i < count; i++) {
    const value = samples[i];
    view.setInt16(44 + 2 * i, Math.round(32767 * Math.max(-1, Math.min(1, value))), true);
  }
  return new Blob([view], { type: "audio/wav" });
}

