// Photographs and papers: sent as soon as they are chosen, one after the other.

export class Files {
  constructor(keeper) {
    this.keeper = keeper;
    this.form = document.getElementById("add-files");
    this.input = document.getElementById("file");
    this.list = document.querySelector("[data-file-list]");
    this.faults = document.querySelector("[data-file-faults]");
  }

  begin() {
    this.input.addEventListener("change", async () => {
      const chosen = [...this.input.files];
      this.input.disabled = true;
      this.tell("");
      for (const file of chosen) {
        await this.send(file);
      }
      this.input.value = "";
      this.input.disabled = false;
    });
    this.list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) {
        event.preventDefault();
        this.remove(button);
      }
    });
  }

  async send(file) {
    const line = document.createElement("li");
    line.textContent = `${file.name} ${this.form.dataset.uploading}`;
    this.list.append(line);
    try {
      const address = await this.keeper.filesAddress(this.form.getAttribute("action"));
      const content = new FormData();
      content.append("csrf_token", this.form.elements.csrf_token.value);
      content.append("file_kind", document.getElementById("file_kind").value);
      content.append("file", file);
      const answer = await fetch(address, {
        method: "POST",
        headers: { Accept: "application/json", "HX-Request": "true" },
        body: content,
      });
      if (answer.status !== 200 && answer.status !== 422) {
        throw new Error(`status ${answer.status}`);
      }
      const told = await answer.json();
      if (told.files.length) {
        this.show(line, told.files[0]);
      } else {
        line.remove();
        this.tell(told.refused.join("；"));
      }
    } catch {
      line.remove();
      this.tell(`${file.name}：${this.form.dataset.failed}`);
    }
  }

  show(line, file) {
    const link = document.createElement("a");
    link.href = file.address;
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = file.name;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "link-button danger";
    remove.textContent = this.form.dataset.remove;
    remove.setAttribute("formaction", file.remove);
    remove.setAttribute("aria-label", `${this.form.dataset.remove} ${file.name}`);
    line.replaceChildren(link, " ", remove);
  }

  async remove(button) {
    const content = new FormData();
    content.append("csrf_token", this.form.elements.csrf_token.value);
    try {
      const answer = await fetch(button.getAttribute("formaction"), {
        method: "POST",
        headers: { "HX-Request": "true" },
        body: new URLSearchParams(content),
        redirect: "manual",
      });
      if (answer.ok || answer.type === "opaqueredirect") {
        button.closest("li").remove();
      }
    } catch {
      this.tell(this.form.dataset.failed);
    }
  }

  tell(text) {
    this.faults.textContent = text;
    this.faults.hidden = !text;
  }
}
